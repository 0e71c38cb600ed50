#if os(Linux)
  import Foundation
  import Testing

  @Suite("bollygan-train survives SIGKILL", .timeLimit(.minutes(20)))
  struct KillTests {
    /// BOLLYGAN_GATE=1 tests each system call of every checkpoint, and 200 moments in all.
    static let isGate = ProcessInfo.processInfo.environment["BOLLYGAN_GATE"] != nil

    /// Every system call that writes a checkpoint, killed before and after it, and halfway through
    /// a write.
    static let checkpointMoments: [Fault] =
      (isGate ? Array(1...SmallTraining.checkpoints) : [1, 6])
      .flatMap { number in
        [
          ("create", "after"), ("write", "before"), ("write", "half"), ("write", "after"),
          ("fsync", "before"), ("fsync", "after"), ("rename", "before"), ("rename", "after"),
        ].map { Fault($0.0, number, $0.1) }
      }

    /// Other files of a run, and moments of computation.
    static let otherMoments: [Fault] =
      [
        Fault("rename", 1, "before", .record), Fault("rename", 1, "after", .record),
        Fault("fsync", 5, "before", .folder), Fault("fsync", 5, "after", .folder),
        Fault("write", 12, "half", .log), Fault("write", 2, "half", .generator),
        Fault("rename", 3, "before", .samples), Fault("write", 5, "half", .discriminator),
      ]
      + {
        // A random time after a line of the log. At least five steps and two checkpoints follow.
        var random = SystemRandomNumberGenerator()
        return (0..<(isGate ? 104 : 6)).map { _ in
          Fault(
            "write", .random(in: 1...14, using: &random),
            "later:\(Int.random(in: 0...3000, using: &random))", .log)
        }
      }()

    @Test("while writing a checkpoint", arguments: checkpointMoments)
    func checkpoint(moment: Fault) async throws { try await survive(moment) }

    @Test("at any other moment", arguments: otherMoments)
    func elsewhere(moment: Fault) async throws { try await survive(moment) }

    @Test("many times in one run")
    func repeated() async throws {
      let training = try await SmallTraining()
      let whole = try await SmallTraining.whole()
      var process = try training.begin("run", fault: Fault("write", 2, "half"))
      // Each part of the run advances by two checkpoints.
      for round in 0..<5 {
        #expect(try await process.end().status == 137, "round \(round)")
        let call = ["write", "fsync", "rename"][round % 3]
        process = try training.resume(
          "run", "--threads", "\(1 + round % 3)", fault: Fault(call, 2, "before"))
      }
      #expect(try await process.end().status == 137)
      #expect(try await training.resume("run").end().status == 0)
      #expect(try training.outcome("run") == whole)
    }

    /// Checks that a killed run, once resumed, ends with the bytes of an uninterrupted one, with
    /// any number of threads, and leaves no partly written file.
    private func survive(_ moment: Fault) async throws {
      let training = try await SmallTraining()
      let whole = try await SmallTraining.whole()
      let killed = try await training.begin("run", "--threads", "2", fault: moment).end()
      try #require(killed.status == 137, "not killed: \(killed.status) \(killed.errors)")
      let result =
        if training.exists("run/run.json") {
          try await training.resume("run", "--threads", "\(1 + moment.number % 3)").end()
        } else {
          // The run had not begun, and nothing prevents a new one.
          try await training.begin("run").end()
        }
      #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
      #expect(try training.outcome("run") == whole)
    }
  }
#endif
