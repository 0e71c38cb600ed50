/// The version of the package, printed by `--version` and recorded in every file written.
public let bollyganVersion = "0.1.0"
