/// The version that the commands of the toolkit say.
///
/// It is that of the newest release in `CHANGELOG.md`; before the first one, the version that it will have.
package let toolkitVersion = "0.1.0"
