package import ArgumentParser
internal import BollyGANModel

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Parses and runs a command line, then exits.
///
/// This differs from `ParsableCommand.main` in three ways. An error becomes one line
/// `bollygan: FILE: MESSAGE` and the status of ``ExitStatusProviding``, or 70 for an unexpected
/// error without one. Help and version texts go to a standard output that is checked for errors.
/// And if the reader of a pipe closes it, the command ends silently with status 141.
package func launch<Command: AsyncParsableCommand>(_ type: Command.Type) async -> Never {
  holdStandardDescriptors()
  // A write to a closed pipe becomes an ordinary error, so that work in progress is saved.
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

/// Prints an error, or the help or version text that was requested, and exits.
private func leave<Command: ParsableCommand>(_ type: Command.Type, _ error: any Error) -> Never {
  if let error = error as? any ExitStatusProviding {
    // An empty message means that the command has already printed everything.
    let message = "\(error)"
    if error.exitStatus != .brokenPipe, !message.isEmpty { printError(message) }
    exit(error.exitStatus.rawValue)
  }
  let code = type.exitCode(for: error)
  guard code != .failure else {
    // ArgumentParser assigns other codes to its own errors, so this one is unexpected.
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

/// Opens those of the descriptors 0 to 2 that are closed, so that no file gets their numbers.
///
/// Writing to a standard output that was closed still fails, because it is opened for reading.
private func holdStandardDescriptors() {
  for (descriptor, mode) in [
    (STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_WRONLY),
  ] where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
    // `open` returns the lowest free number, which is this one, since those below it are open.
    _ = unsafe open("/dev/null", mode)
  }
}

/// The arguments, including any that are not UTF-8, which `CommandLine.arguments` would alter.
private func commandLineArguments() -> [String] {
  (1..<max(1, Int(CommandLine.argc))).compactMap { index in
    unsafe CommandLine.unsafeArgv[index].map { unsafe String(cPath: $0) }
  }
}
