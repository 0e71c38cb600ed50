#if os(Linux)
  import Foundation
  import Testing

  @Suite("bollygan-train survives SIGKILL", .timeLimit(.minutes(20)))
  struct KillTests {
    /// With BOLLYGAN_GATE=1 each call of every checkpoint, and 200 moments in all.
    static let isGate = ProcessInfo.processInfo.environment["BOLLYGAN_GATE"] != nil

    /// Every call that makes a checkpoint, interrupted at both ends and, for the write, halfway.
    static let checkpointMoments: [Fault] =
      (isGate ? Array(1...SmallTraining.checkpoints) : [1, 6])
      .flatMap { number in
        [
          ("create", "after"), ("write", "before"), ("write", "half"), ("write", "after"),
          ("fsync", "before"), ("fsync", "after"), ("rename", "before"), ("rename", "after"),
        ].map { Fault($0.0, number, $0.1) }
      }

    /// Between the calls: what else a run writes, and while it computes.
    static let otherMoments: [Fault] =
      [
        Fault("rename", 1, "before", .record), Fault("rename", 1, "after", .record),
        Fault("fsync", 5, "before", .folder), Fault("fsync", 5, "after", .folder),
        Fault("write", 12, "half", .log), Fault("write", 2, "half", .generator),
        Fault("rename", 3, "before", .samples), Fault("write", 5, "half", .discriminator),
      ]
      + {
        // Whatever the process does some moments after a line of the log; at least five steps and two
        // checkpoints are still to come.
        var random = SystemRandomNumberGenerator()
        return (0..<(isGate ? 104 : 6)).map { _ in
          Fault(
            "write", .random(in: 1...14, using: &random),
            "later:\(Int.random(in: 0...3000, using: &random))", .log)
        }
      }()

    @Test("within a checkpoint's write, fsync and rename", arguments: checkpointMoments)
    func checkpoint(moment: Fault) async throws { try await survive(moment) }

    @Test("anywhere else", arguments: otherMoments)
    func elsewhere(moment: Fault) async throws { try await survive(moment) }

    @Test("again and again in one run")
    func repeated() async throws {
      let training = try await SmallTraining()
      let whole = try await SmallTraining.whole()
      var process = try training.begin("run", fault: Fault("write", 2, "half"))
      // Each part of the run gets two checkpoints further.
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

    /// A killed run that goes on ends in the bytes of an unbroken one, with any number of threads,
    /// and leaves no half-written file.
    private func survive(_ moment: Fault) async throws {
      let training = try await SmallTraining()
      let whole = try await SmallTraining.whole()
      let killed = try await training.begin("run", "--threads", "2", fault: moment).end()
      try #require(killed.status == 137, "not killed: \(killed.status) \(killed.errors)")
      let result =
        if training.exists("run/run.json") {
          try await training.resume("run", "--threads", "\(1 + moment.number % 3)").end()
        } else {
          // There is no run yet, and nothing in the way of one.
          try await training.begin("run").end()
        }
      #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
      #expect(try training.outcome("run") == whole)
    }
  }
#endif
