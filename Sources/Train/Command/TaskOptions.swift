import ArgumentParser
import BollyGANTerminal

/// Options that select the run and its data.
struct TaskOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "Folder of PNG, JPEG or WebP images, flat or with subfolders.",
      valueName: "data"),
    completion: .directory)
  var data: String?

  @Option(
    help: ArgumentHelp("Folder for a new run, created if necessary.", valueName: "run"),
    completion: .directory)
  var out: String?

  @Option(
    help: ArgumentHelp(
      "Resume the run in this folder from its last checkpoint. Only options under Execution and "
        + "--epochs may change. Give DATA if its folder has moved.",
      valueName: "run"),
    completion: .directory)
  var resume: String?

  @Option(
    help: ArgumentHelp(
      "Start a new run with the settings of this run.json; other options override them.",
      valueName: "run.json"),
    completion: .file(extensions: ["json"]))
  var from: String?

  @Option(
    help: ArgumentHelp(
      "Exclude the images listed in this file, one path per line, as 'bollygan-train check' writes "
        + "it. The run stores the list.", valueName: "file"),
    completion: .file())
  var exclude: String?

  @Flag(help: "Replace an earlier run in the --out folder.")
  var force = false

  @Flag(help: "With --resume, accept images or settings that differ from those the run began with.")
  var forceResume = false

  /// Checks that the options go together. Called after the aliases are merged.
  func check() throws {
    if resume != nil {
      guard exclude == nil else {
        throw ValidationError(
          "--exclude cannot be combined with --resume: the run keeps the list it began with.")
      }
      guard out == nil, from == nil, !force else {
        throw ValidationError(
          "--out, --from and --force cannot be combined with --resume.")
      }
    } else {
      guard !forceResume else { throw ValidationError("--force-resume requires --resume.") }
      guard out != nil else {
        throw ValidationError("Missing run folder: --out RUN, or --resume RUN to continue one.")
      }
      guard data != nil || from != nil else {
        throw ValidationError(
          "Missing image folder: bollygan-train DATA --out RUN. "
            + "'bollygan-train draw-faces faces' draws images to try.")
      }
    }
  }
}
