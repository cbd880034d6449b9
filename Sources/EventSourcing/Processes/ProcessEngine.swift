package import EventStreaming
package import KafkaClient

/// What comes of a message, or of a deadline, for an instance of a process manager.
package struct ProcessTransition<State: Codable & Sendable>: Sendable {
    /// The instance as it is then.
    package var instance: ProcessInstance<State>
    /// What is sent.
    package var records: [KafkaProducerRecord] = []
    /// What happened.
    package var timeline: [ProcessTimelineEntry] = []
}

/// The rules of process managers, without any input or output: a message or a deadline, and an instance, make a transition.
package struct ProcessEngine<State: Codable & Sendable>: Sendable {
    private let manager: ProcessManager<State>

    /// Deadlines of the engine itself: what is left of the name is the step.
    private static var retryPrefix: String { "kstream/retry/" }
    private static var timeoutPrefix: String { "kstream/timeout/" }

    package init(_ manager: ProcessManager<State>) {
        self.manager = manager
    }

    /// Handles a message.
    ///
    /// - Parameters:
    ///   - call: the message.
    ///   - id: the instance that it belongs to.
    ///   - instance: as it is; `nil` when there is none.
    ///   - now: the time.
    /// - Returns: `nil` when the message is ignored: it may not begin an instance, or its instance has ended.
    /// - Throws: what the handler throws.
    package func handle(
        _ call: ProcessInput<State>.Call,
        of id: String,
        _ instance: ProcessInstance<State>?,
        now: UTCTime
    ) throws -> ProcessTransition<State>? {
        if let instance, instance.status.isEnded { return nil }
        if instance == nil, !call.begins { return nil }
        var transition = ProcessTransition(
            instance: instance ?? ProcessInstance(id: id, state: self.manager.initialState, now: now)
        )
        let cause = call.metadata
        if transition.instance.correlationID == nil {
            transition.instance.correlationID = cause?.correlationID ?? cause?.id ?? "\(self.manager.name)/\(id)"
        }
        var run = self.begin(&transition, now: now, cause: cause)
        if instance == nil { run.note(.started, "\(self.manager.name) \(id)", &transition) }
        run.note(.event, cause?.type ?? "message", &transition)
        try call.handle(&transition.instance.state, &run.actions)
        self.carryOut(run, &transition)
        return transition
    }

    /// Handles a deadline that has passed.
    ///
    /// An instance whose handler throws is stuck: it can't be asked again by itself, and others must not wait for it.
    ///
    /// - Returns: `nil` when there is no such deadline, or it is later.
    package func pass(
        _ deadline: String,
        _ instance: ProcessInstance<State>,
        now: UTCTime
    ) -> ProcessTransition<State>? {
        guard let due = instance.deadlines[deadline], due <= now else { return nil }
        var transition = ProcessTransition(instance: instance)
        transition.instance.deadlines[deadline] = nil
        var run = self.begin(&transition, now: now, cause: nil)
        if instance.status.isEnded {
            // What was to be done then is not to be done any more.
            run.note(.cancelled, deadline, &transition)
        } else if deadline.hasPrefix(Self.retryPrefix) {
            self.compensateNext(&transition, run)
        } else if deadline.hasPrefix(Self.timeoutPrefix) {
            let step = String(deadline.dropFirst(Self.timeoutPrefix.count))
            self.failed(step, "no answer in time", isRefused: false, &transition, run)
        } else {
            run.note(.passed, deadline, &transition)
            let before = transition
            do {
                try self.manager.onDeadline(&transition.instance.state, deadline, &run.actions)
                self.carryOut(run, &transition)
            } catch {
                transition = before
                let problem = "the deadline \(deadline) can't be handled: \(error)".shortened()
                transition.instance.status = .stuck
                transition.instance.problem = problem
                transition.instance.failedDeadline = deadline
                run.note(.stuck, problem, &transition)
            }
        }
        return transition
    }

    /// Has an instance that is stuck try again.
    ///
    /// - Returns: `nil` when it is not stuck.
    package func resume(_ instance: ProcessInstance<State>, now: UTCTime) -> ProcessTransition<State>? {
        guard instance.status == .stuck else { return nil }
        var transition = ProcessTransition(instance: instance)
        let run = self.begin(&transition, now: now, cause: nil)
        if let deadline = instance.failedDeadline {
            transition.instance.status = .running
            transition.instance.failedDeadline = nil
            transition.instance.problem = nil
            transition.instance.deadlines[deadline] = now
            run.note(.deadline, "\(deadline) again, as somebody asked for", &transition)
            return transition
        }
        transition.instance.status = .compensating
        for index in transition.instance.steps.indices { transition.instance.steps[index].attempts = 0 }
        run.note(.compensating, "again, as somebody asked for", &transition)
        self.compensateNext(&transition, run)
        return transition
    }

    // MARK: One transition

    private struct Run {
        var actions: ProcessActions
        var cause: EventMetadata?

        func note(_ kind: ProcessTimelineEntry.Kind, _ text: String, _ transition: inout ProcessTransition<State>) {
            transition.timeline.append(
                ProcessTimelineEntry(
                    transition: self.actions.transition,
                    time: self.actions.now,
                    kind: kind,
                    text: text,
                    causationID: self.cause?.id
                )
            )
        }
    }

    private func begin(
        _ transition: inout ProcessTransition<State>,
        now: UTCTime,
        cause: EventMetadata?
    ) -> Run {
        // A journal may say anything.
        transition.instance.transitions &+= 1
        transition.instance.updateTime = now
        let number = transition.instance.transitions
        let id = transition.instance.id
        // What comes of a deadline comes of the instance.
        var origin =
            cause ?? EventMetadata(id: "\(self.manager.name)/\(id)/\(number)", source: self.manager.name, type: "")
        origin.correlationID = transition.instance.correlationID ?? origin.correlationID
        let actions = ProcessActions(
            id: id,
            status: transition.instance.status,
            now: now,
            source: self.manager.name,
            cause: origin,
            transition: number
        )
        return Run(actions: actions, cause: cause)
    }

    private func carryOut(_ run: Run, _ transition: inout ProcessTransition<State>) {
        for action in run.actions.actions {
            switch action {
            case .send(let record, let type):
                transition.records.append(record)
                run.note(.command, "\(type) to \(record.topic)", &transition)
            case .schedule(let name, let time):
                guard !transition.instance.status.isEnded else { continue }
                transition.instance.deadlines[name] = time
                run.note(.deadline, "\(name) at \(time)", &transition)
            case .cancel(let name):
                if transition.instance.deadlines.removeValue(forKey: name) != nil {
                    run.note(.cancelled, name, &transition)
                }
            case .note(let text):
                run.note(.note, text, &transition)
            case .step(let step):
                self.add(step, &transition, run)
            case .compensate(let reason):
                self.compensate(reason, &transition, run)
            case .compensated(let step):
                self.compensated(step, &transition, run)
            case .compensationFailed(let step, let reason):
                self.failed(step, reason, isRefused: true, &transition, run)
            case .complete:
                // What is being undone is not done.
                guard transition.instance.isGoingOn else {
                    run.note(.note, "not completed, since it is \(transition.instance.status.rawValue)", &transition)
                    continue
                }
                transition.instance.status = .completed
                transition.instance.failedDeadline = nil
                transition.instance.problem = nil
                transition.instance.deadlines = [:]
                transition.instance.steps = []
                run.note(.completed, self.manager.name, &transition)
            }
        }
    }

    // MARK: Undoing

    /// Notes what undoes something that was done.
    private func add(_ step: CompensationStep, _ transition: inout ProcessTransition<State>, _ run: Run) {
        switch transition.instance.status {
        case _ where transition.instance.isGoingOn:
            transition.instance.steps.append(step)
        case .running, .compensating, .stuck:
            // The last one is being undone: this one is the next.
            transition.instance.steps.insert(step, at: max(0, transition.instance.steps.count - 1))
            if transition.instance.status == .compensating, transition.instance.steps.count == 1 {
                self.compensateNext(&transition, run)
            }
        case .completed, .compensated:
            // All else was undone: so is this.
            guard transition.instance.status == .compensated else { return }
            transition.instance.steps = [step]
            transition.instance.status = .compensating
            self.compensateNext(&transition, run)
        }
    }

    private func compensate(_ reason: String, _ transition: inout ProcessTransition<State>, _ run: Run) {
        guard transition.instance.isGoingOn else { return }
        transition.instance.status = .compensating
        transition.instance.failedDeadline = nil
        transition.instance.problem = reason
        transition.instance.deadlines = [:]
        run.note(.compensating, reason, &transition)
        self.compensateNext(&transition, run)
    }

    /// Sends the command that undoes the last thing that is not undone yet.
    private func compensateNext(_ transition: inout ProcessTransition<State>, _ run: Run) {
        guard transition.instance.status == .compensating else { return }
        guard var step = transition.instance.steps.popLast() else {
            transition.instance.status = .compensated
            transition.instance.deadlines = [:]
            run.note(.compensated, "everything", &transition)
            return
        }
        step.attempts += 1
        transition.instance.deadlines[Self.timeoutPrefix + step.name] =
            run.actions.now.advanced(by: step.policy.timeout)
        let record = step.record
        transition.records.append(record)
        run.note(.command, "undo \(step.name), to \(record.topic), attempt \(step.attempts)", &transition)
        transition.instance.steps.append(step)
    }

    private func compensated(_ name: String, _ transition: inout ProcessTransition<State>, _ run: Run) {
        guard [.compensating, .stuck].contains(transition.instance.status), transition.instance.steps.last?.name == name
        else { return }
        transition.instance.steps.removeLast()
        self.forgetDeadlines(of: name, &transition)
        // Of one that was given up the answer came after all.
        transition.instance.status = .compensating
        run.note(.compensated, name, &transition)
        self.compensateNext(&transition, run)
    }

    private func failed(
        _ name: String,
        _ reason: String,
        isRefused: Bool,
        _ transition: inout ProcessTransition<State>,
        _ run: Run
    ) {
        guard transition.instance.status == .compensating, var step = transition.instance.steps.last, step.name == name
        else { return }
        transition.instance.steps.removeLast()
        self.forgetDeadlines(of: name, &transition)
        step.error = reason
        if isRefused { step.refusals += 1 }
        transition.instance.steps.append(step)
        run.note(.failed, "undo \(name): \(reason)", &transition)
        if step.attempts >= step.policy.attempts {
            transition.instance.status = .stuck
            transition.instance.problem = "\(name) can't be undone: \(reason)"
            run.note(.stuck, "\(name) was tried \(step.attempts) times: \(reason)", &transition)
        } else {
            transition.instance.deadlines[Self.retryPrefix + name] =
                run.actions.now.advanced(by: step.policy.delay(after: step.attempts))
        }
    }

    private func forgetDeadlines(of step: String, _ transition: inout ProcessTransition<State>) {
        transition.instance.deadlines[Self.retryPrefix + step] = nil
        transition.instance.deadlines[Self.timeoutPrefix + step] = nil
    }
}
