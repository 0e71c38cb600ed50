package import ArgumentParser
internal import BollyGANModel

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Runs a command line from its parsing to the end of the process.
///
/// What `ParsableCommand.main` does, with three differences: an error ends as one line
/// `bollygan: FILE: what is wrong` and the status of ``ExitStatusProviding`` (70 where it has none:
/// nobody foresaw it); help and versions are written to a checked standard output; and a reader
/// that goes away ends the command quietly with 141.
package func launch<Command: AsyncParsableCommand>(_ type: Command.Type) async -> Never {
  holdStandardDescriptors()
  // A write to a closed pipe is then an error like others, and what was being saved is saved.
  _ = signal(SIGPIPE, SIG_IGN)
  var command: any ParsableCommand
  do {
    command = try await type.asyncParseAsRoot(commandLineArguments())
  } catch {
    leave(type, error)
  }
  do {
    if var asynchronous = command as? any AsyncParsableCommand {
      try await asynchronous.run()
    } else {
      try command.run()
    }
  } catch {
    leave(type, error)
  }
  exit(ExitStatus.success.rawValue)
}

/// Says what an error has to say where it belongs, and ends the process with its status.
private func leave<Command: ParsableCommand>(_ type: Command.Type, _ error: any Error) -> Never {
  if let error = error as? any ExitStatusProviding {
    // A status alone, where the command has said everything else.
    let message = "\(error)"
    if error.exitStatus != .brokenPipe, !message.isEmpty { printError(message) }
    exit(error.exitStatus.rawValue)
  }
  let code = type.exitCode(for: error)
  guard code != .failure else {
    // ArgumentParser knows its own errors; anything else is one that we did not foresee.
    printError("\(error)")
    exit(ExitStatus.internalError.rawValue)
  }
  let message = type.fullMessage(for: error)
  guard code == .success else {
    if !message.isEmpty { writeToStandardError(message + "\n") }
    exit(code.rawValue)
  }
  do {
    if !message.isEmpty { try StandardOutput.writeLine(message) }
  } catch {
    leave(type, error)
  }
  exit(ExitStatus.success.rawValue)
}

/// Opens what is closed of descriptors 0 to 2, so that no file of ours is given their numbers.
///
/// A closed standard output stays one that cannot be written to.
private func holdStandardDescriptors() {
  for (descriptor, mode) in [
    (STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_WRONLY),
  ] where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
    // The lowest free number is taken, which is this one: those below are open.
    _ = unsafe open("/dev/null", mode)
  }
}

/// The arguments, those that are no UTF-8 included: `CommandLine.arguments` would change them.
private func commandLineArguments() -> [String] {
  (1..<max(1, Int(CommandLine.argc))).compactMap { index in
    unsafe CommandLine.unsafeArgv[index].map { unsafe String(cPath: $0) }
  }
}
