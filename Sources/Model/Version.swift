/// The version of the whole package, as every `--version` and every written file says it.
public let bollyganVersion = "0.1.0"
