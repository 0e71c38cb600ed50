import BollyGANModel
import Testing

@Suite("Every command", .timeLimit(.minutes(2)))
struct VersionTests {
  static let commands = [BuiltCommand.infer, .train, .export]

  @Test("prints the package's version", arguments: commands)
  func version(command: BuiltCommand) async throws {
    let result = try await command.run(["--version"], in: TemporaryFolder())
    #expect(result.status == 0)
    #expect(result.text == bollyganVersion + "\n")
    #expect(result.errors.isEmpty)
  }

  @Test("prints its help on standard output", arguments: commands)
  func help(command: BuiltCommand) async throws {
    let result = try await command.run(["--help"], in: TemporaryFolder())
    #expect(result.status == 0)
    #expect(result.text.contains("USAGE: "))
    #expect(result.errors.isEmpty)
  }

  @Test("exits with 64 for an unknown option", arguments: commands)
  func unknownOption(command: BuiltCommand) async throws {
    let result = try await command.run(["--no-such-option"], in: TemporaryFolder())
    #expect(result.status == 64)
    #expect(result.output.isEmpty)
    // The message itself may name something else first, such as a missing argument.
    #expect(result.errors.contains("Usage: \(command.name)"))
  }
}
