import BollyGANTerminal
import Testing

@Suite("Seed lists")
struct SeedListTests {
  @Test("order and repetitions are kept, and ranges include their end")
  func ranges() throws {
    #expect(try SeedList("0,7,20-23").seeds == [0, 7, 20, 21, 22, 23])
    #expect(try SeedList("5-5,3,5").seeds == [5, 3, 5])
    #expect(try SeedList("4294967290-4294967295").seeds.last == UInt32.max)
  }

  @Test(
    "anything but a seed or a range is refused",
    arguments: [
      "", ",", "1,", "a", "-1", "1-", "-", "1-2-3", "+1", "1.0", " 1", "1 ", "4294967296",
      "99999999999999999999", "１",
    ])
  func malformed(text: String) {
    #expect(throws: SeedListError.self) { try SeedList(text) }
  }

  @Test("an error names the range that runs backwards")
  func backwards() {
    #expect(throws: SeedListError.descending("9-3")) { try SeedList("1,9-3") }
  }

  @Test("lists that are too long are refused before memory is allocated")
  func tooMany() {
    #expect(throws: SeedListError.tooMany) { try SeedList("0-4294967295") }
    #expect(throws: SeedListError.tooMany) { try SeedList("0-99998,7,8") }
    #expect(throws: Never.self) { try SeedList("0-99998,7") }
  }
}

@Suite("Messages")
struct MessageTests {
  @Test("characters that a terminal would interpret are escaped")
  func controlCharacters() {
    #expect(escaped("a\u{1B}]0;owned\u{07}b\nc\td") == "a\\u{1b}]0;owned\\u{7}b\\nc\\td")
    #expect(escaped("right-to-left \u{202E}gnp.exe") == "right-to-left \\u{202e}gnp.exe")
    #expect(escaped("line\u{2028}feed\u{85}") == "line\\u{2028}feed\\u{85}")
    #expect(escaped("चेहरा é 😀.png") == "चेहरा é 😀.png")
  }

  @Test("long texts are cut between characters and within the limit", arguments: 4...40)
  func length(limit: Int) {
    let text = String(repeating: "é\n😀", count: 20)
    #expect(escaped(text, limit: limit).utf8.count <= limit)
    #expect(escaped(text, limit: limit).hasSuffix("…"))
  }

  @Test("a failure names the file and keeps the status of its error")
  func about() {
    struct Torn: Error, CustomStringConvertible { let description = "is torn" }
    struct Gone: ExitStatusProviding, CustomStringConvertible {
      let exitStatus = ExitStatus.missingInput
      let description = "is gone"
    }
    let torn = #expect(throws: CommandFailure.self) {
      try CommandFailure.about("a\nb.npy") { throw Torn() }
    }
    #expect(torn?.exitStatus == .badData)
    #expect(torn?.description == "a\\nb.npy: is torn")
    let gone = #expect(throws: CommandFailure.self) {
      try CommandFailure.about("x", else: .cannotCreate) { throw Gone() }
    }
    #expect(gone?.exitStatus == .missingInput)
    let inner = #expect(throws: CommandFailure.self) {
      try CommandFailure.about("outer") {
        try CommandFailure.about("inner", else: .cannotCreate) { throw Torn() }
      }
    }
    #expect(inner == CommandFailure(.cannotCreate, file: "inner", "is torn"))
  }
}

@Suite("Terminal")
struct TerminalStyleTests {
  /// Variables; whether the stream is a terminal, whether it can redraw, whether it has colours.
  /// NO_COLOR overrides CLICOLOR_FORCE, which overrides CLICOLOR.
  static let rows: [([String: String], Bool, Bool, Bool)] = [
    ([:], true, true, true),
    ([:], false, false, false),
    (["NO_COLOR": "1"], true, true, false),
    (["NO_COLOR": ""], true, true, true),
    (["NO_COLOR": "1", "CLICOLOR_FORCE": "1"], true, true, false),
    (["CLICOLOR_FORCE": "1"], false, false, true),
    (["CLICOLOR_FORCE": "0"], false, false, false),
    (["CLICOLOR_FORCE": "1", "CLICOLOR": "0"], true, true, true),
    (["CLICOLOR": "0"], true, true, false),
    (["TERM": "dumb"], true, false, false),
    (["TERM": "dumb", "CLICOLOR_FORCE": "1"], true, false, true),
  ]

  @Test("the environment controls colours and progress bars", arguments: rows)
  func style(variables: [String: String], isTerminal: Bool, redraws: Bool, coloured: Bool) {
    let style = TerminalStyle(isTerminal: isTerminal) { variables[$0] }
    #expect(style.canRedraw == redraws)
    #expect(style.isColoured == coloured)
  }

  @Test("a bar never fills the last column, however narrow the terminal", arguments: 1...120)
  func width(columns: Int) {
    for completed in [0, 1, 500, 1000, 1001] {
      let line = ProgressBar.line(
        completed: completed, total: 1000, unit: "faces", note: "D(x) 0.71", elapsed: .seconds(3),
        columns: columns, isColoured: false)
      #expect(line.count < columns)
    }
  }

  @Test("a bar shows percentage, count, rate and remaining time")
  func text() {
    let line = ProgressBar.line(
      completed: 250, total: 1000, unit: "faces", note: "loss 0.5", elapsed: .seconds(2),
      columns: 100, isColoured: false)
    #expect(line.hasSuffix(" 25% 250/1000 faces, 125 a second, 6 s left, loss 0.5"))
    #expect(line.prefix { $0 == "━" }.count == 7)  // a quarter of 30
  }

  @Test(
    "durations are written in words",
    arguments: [
      (0.0, "0 s"), (59.2, "1 min 00 s"), (61, "1 min 01 s"), (3599, "59 min 59 s"),
      (3600, "1 h 00 min"), (86_399, "23 h 59 min"), (.infinity, "a long time"),
      (1e30, "a long time"), (.nan, "a long time"),
    ])
  func durations(seconds: Double, text: String) {
    #expect(durationText(seconds: seconds) == text)
  }
}

@Suite("Shipped model")
struct ShippedModelTests {
  @Test("an installed command looks in the share folder of its prefix")
  func installed() {
    #expect(
      ShippedModel.places(forExecutable: "/usr/local/bin/bollygan-infer")
        == ["/usr/local/share/bollygan/bollygan-64.safetensors"])
    #expect(
      ShippedModel.places(forExecutable: "/bollygan-infer")
        == ["/share/bollygan/bollygan-64.safetensors"])
  }

  @Test(
    "a built command finds the checkout it was built in",
    arguments: [
      "/home/a b/BollyGAN/.build/x86_64-unknown-linux-gnu/release/bollygan-infer",
      "/home/a b/BollyGAN/.build-asan/debug/bollygan-infer",
    ])
  func built(path: String) {
    #expect(
      ShippedModel.places(forExecutable: path).last
        == "/home/a b/BollyGAN/models/bollygan-64.safetensors")
  }

  @Test("the executable's path and the number of processors are known")
  func process() throws {
    #expect(try #require(executablePath).hasPrefix("/"))
    #expect(processorCount >= 1)
  }
}
