import ArgumentParser
import BollyGANTerminal

/// Which run it is about.
struct TaskOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "Folder of pictures, flat or with subfolders; PNG, JPEG and WebP are read.",
      valueName: "data"),
    completion: .directory)
  var data: String?

  @Option(
    help: ArgumentHelp("Folder for a new run; made where it is missing.", valueName: "run"),
    completion: .directory)
  var out: String?

  @Option(
    help: ArgumentHelp(
      "Go on with the run in this folder from its last checkpoint. Epochs, steps, threads and how "
        + "often things are written may be changed; name DATA where its folder has moved.",
      valueName: "run"),
    completion: .directory)
  var resume: String?

  @Option(
    help: ArgumentHelp(
      "Begin the same run again, as this run.json describes it; other options change it.",
      valueName: "run.json"),
    completion: .file(extensions: ["json"]))
  var from: String?

  @Option(
    help: ArgumentHelp(
      "Leave out the pictures that this file names, one a line, as 'bollygan-train check' writes it. "
        + "A run keeps the list.", valueName: "file"),
    completion: .file())
  var exclude: String?

  @Flag(help: "Replace what an earlier run left in the --out folder.")
  var force = false

  @Flag(help: "Go on with --resume although pictures or settings are not those it began with.")
  var forceResume = false

  /// Whether the options go together; after the aliases were looked at.
  func check() throws {
    if let resume {
      guard exclude == nil else {
        throw ValidationError(
          "--resume \(resume) leaves out what the run began without: --exclude does not go with it."
        )
      }
      guard out == nil, from == nil, !force else {
        throw ValidationError(
          "--resume \(resume) goes on in that folder: --out, --from and --force do not go with it.")
      }
    } else {
      guard !forceResume else { throw ValidationError("--force-resume goes with --resume.") }
      guard out != nil else {
        throw ValidationError("Name a folder for the run: --out RUN (or --resume RUN to go on).")
      }
      guard data != nil || from != nil else {
        throw ValidationError(
          "Name a folder of pictures: bollygan-train DATA --out RUN. None at hand? "
            + "'bollygan-train draw-faces faces' draws some.")
      }
    }
  }
}
