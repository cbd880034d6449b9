#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// Whether single values are valid by a schema. Patterns and formats are not tried.
struct ValueCheck {
    let directory: SchemaDirectory
    private static let maxDepth = 128

    /// Whether all schemas of a conjunction accept a value.
    func accepts(_ value: JSONValue, by conjunction: Conjunction) -> Truth {
        // What it consists of is among its schemas, and is looked at twice: values are small.
        conjunction.schemas.all { self.accepts(value, by: $0) }
    }

    /// Whether a schema accepts a value.
    func accepts(_ value: JSONValue, by schema: SchemaNode, depth: Int = 0) -> Truth {
        guard depth < Self.maxDepth else { return .unknown }
        switch schema.value {
        case .boolean(let isAnything):
            return Truth(isAnything)
        case .object(let members):
            // In order, so that the same is unknown whenever it is asked.
            return members.keys.sorted().all { name in
                self.accepts(value, by: name, of: schema, depth: depth + 1)
            }
        default:
            return .unknown
        }
    }

    private func accepts(_ value: JSONValue, by keyword: String, of schema: SchemaNode, depth: Int) -> Truth {
        guard !Keywords.annotations.contains(keyword), let rule = schema.keyword(keyword) else { return .yes }
        if let types = Keywords.types[keyword], !types.contains(InstanceTypes(of: value)) { return .yes }
        let alternatives = schema.alternatives(of: keyword)
        switch keyword {
        case "$ref":
            guard let target = rule.value.string.flatMap({ self.directory.resolve($0, from: schema.file) }) else {
                return .unknown
            }
            return self.accepts(value, by: target, depth: depth)
        case "type":
            return InstanceTypes(rule.value).map { Truth($0.contains(InstanceTypes(of: value))) } ?? .unknown
        case "const": return Truth(rule.value == value)
        case "enum": return rule.value.array.map { Truth($0.contains(value)) } ?? .unknown
        case "allOf": return alternatives.all { self.accepts(value, by: $0, depth: depth) }
        case "anyOf":
            let count = alternatives.count { self.accepts(value, by: $0, depth: depth) }
            return count.lowerBound > 0 ? .yes : count.upperBound == 0 ? .no : .unknown
        case "oneOf":
            let count = alternatives.count { self.accepts(value, by: $0, depth: depth) }
            return count == 1...1 ? .yes : count.contains(1) ? .unknown : .no
        case "not": return self.accepts(value, by: rule, depth: depth).negated
        case "if", "then", "else", "$dynamicRef", "$recursiveRef": return .unknown
        default: break
        }
        switch value {
        case .number(let number): return Self.accepts(number, by: keyword, rule.value)
        case .string(let text): return Self.accepts(text, by: keyword, rule.value)
        case .array(let elements): return self.accepts(elements, by: keyword, of: schema, depth: depth)
        case .object(let members): return self.accepts(members, by: keyword, of: schema, depth: depth)
        case .null, .boolean: return .yes
        }
    }

    private static func accepts(_ number: Decimal, by keyword: String, _ rule: JSONValue) -> Truth {
        let names: Set = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]
        guard names.contains(keyword) else { return .yes }
        guard let limit = rule.number else { return .unknown }
        switch keyword {
        case "minimum": return Truth(number >= limit)
        case "maximum": return Truth(number <= limit)
        case "exclusiveMinimum": return Truth(number > limit)
        case "exclusiveMaximum": return Truth(number < limit)
        default: return number.isMultiple(of: limit)
        }
    }

    private static func accepts(_ text: String, by keyword: String, _ rule: JSONValue) -> Truth {
        switch keyword {
        case "minLength": rule.number.map { Truth(Decimal(text.unicodeScalars.count) >= $0) } ?? .unknown
        case "maxLength": rule.number.map { Truth(Decimal(text.unicodeScalars.count) <= $0) } ?? .unknown
        case "pattern", "format": .unknown
        default: .yes
        }
    }

    private func accepts(_ elements: [JSONValue], by keyword: String, of schema: SchemaNode, depth: Int) -> Truth {
        guard let rule = schema.keyword(keyword) else { return .yes }
        switch keyword {
        case "minItems": return rule.value.number.map { Truth(Decimal(elements.count) >= $0) } ?? .unknown
        case "maxItems": return rule.value.number.map { Truth(Decimal(elements.count) <= $0) } ?? .unknown
        case "uniqueItems": return Truth(rule.value != .boolean(true) || Set(elements).count == elements.count)
        case "items":
            guard schema.keyword("prefixItems") == nil else { return .unknown }
            return elements.all { self.accepts($0, by: rule, depth: depth) }
        default: return Keywords.types[keyword] == nil ? .yes : .unknown
        }
    }

    private func accepts(
        _ members: [String: JSONValue],
        by keyword: String,
        of schema: SchemaNode,
        depth: Int
    ) -> Truth {
        guard let rule = schema.keyword(keyword) else { return .yes }
        let properties = schema.schemas(of: "properties")
        switch keyword {
        case "minProperties": return rule.value.number.map { Truth(Decimal(members.count) >= $0) } ?? .unknown
        case "maxProperties": return rule.value.number.map { Truth(Decimal(members.count) <= $0) } ?? .unknown
        case "required": return rule.value.strings.map { Truth($0.allSatisfy { members[$0] != nil }) } ?? .unknown
        case "properties":
            return members.keys.sorted().all { name in
                guard let value = members[name], let property = properties[name] else { return .yes }
                return self.accepts(value, by: property, depth: depth)
            }
        case "additionalProperties":
            guard schema.keyword("patternProperties") == nil else { return .unknown }
            return members.keys.sorted().all { name in
                guard let value = members[name], properties[name] == nil else { return .yes }
                return self.accepts(value, by: rule, depth: depth)
            }
        default: return Keywords.types[keyword] == nil ? .yes : .unknown
        }
    }
}

extension Decimal {
    /// Whether it is the other number times a whole number.
    func isMultiple(of other: Decimal) -> Truth {
        guard other > 0 else { return .unknown }
        let quotient = self / other
        guard !quotient.isNaN else { return .unknown }
        guard quotient.isWhole else { return .no }
        // A quotient that is rounded to a whole number is beyond what a Decimal holds.
        return quotient * other == self ? .yes : .unknown
    }
}
