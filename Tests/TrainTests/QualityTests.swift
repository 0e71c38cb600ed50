import BollyGANCompute
import BollyGANInfer
import BollyGANModel
import BollyGANPictures
import BollyGANDemo
import BollyGANRuns
import BollyGANTraining
import Foundation
import Testing

/// One case of `Fixtures/quality.json`, computed by NumPy in float64.
private struct QualityFixture: Decodable, Sendable, CustomTestStringConvertible {
  let side: Int
  let channels: Int
  let pictures: Int
  let distances: [Double]
  let similarities: [Double]

  static let all = fixture("quality.json", as: [QualityFixture].self)

  var testDescription: String { "\(side), \(channels) channels" }

  /// The images that `pictures` in `quality.py` returns.
  func set(salt: Int) -> [UInt8] {
    let words = Formula.words(salt: salt, count: pictures * side * side * channels)
    return words.indices.map { index in
      let (pixel, channel) = index.quotientAndRemainder(dividingBy: channels)
      let (line, column) = pixel.quotientAndRemainder(dividingBy: side)
      let (picture, row) = line.quotientAndRemainder(dividingBy: side)
      let number = picture + salt
      let stripes = (row * (2 + number % 3) + column * (1 + number % 2)) * 2 + 40 * channel
      return UInt8(Int(words[index] >> 26) + stripes % 192)
    }
  }
}

@Suite("Quality")
struct QualityTests {
  // Projections are sums of hundreds of float32 products of order 1, and the mean of their
  // differences is of order 0.2.
  @Test("sliced Wasserstein distances agree with NumPy within 1e-4", arguments: QualityFixture.all)
  fileprivate func slicedDistance(fixture: QualityFixture) {
    let distance = SlicedDistance(
      side: fixture.side, channels: fixture.channels, workers: Workers(count: 2))
    let (a, b) = (fixture.set(salt: 70_000), fixture.set(salt: 70_001))
    let found = SlicedDistance.distances(distance.profile(a), distance.profile(b))
    #expect(found.count == fixture.distances.count && found.count == distance.sides.count)
    for (found, expected) in zip(found, fixture.distances) {
      #expect(abs(found - expected) < 1e-4 * expected)
    }
    #expect(
      SlicedDistance.distances(distance.profile(a), distance.profile(a)).allSatisfy { $0 == 0 })
  }

  // Variances, as differences of float64 squares, lose 10^-12 of 255².
  @Test("multi-scale similarities agree with NumPy within 1e-9", arguments: QualityFixture.all)
  fileprivate func similarity(fixture: QualityFixture) {
    let size = fixture.side * fixture.side * fixture.channels
    let a = fixture.set(salt: 70_000).prefix(size)
    let b = fixture.set(salt: 70_001).prefix(size)
    for (share, expected) in zip([0, 1, 2, 4], fixture.similarities) {
      let mixture = zip(a, b).map { UInt8(((4 - share) * Int($0) + share * Int($1)) / 4) }
      let found = StructuralSimilarity.similarity(
        a, mixture[...], side: fixture.side, channels: fixture.channels)
      #expect(abs(found - expected) < 1e-9)
    }
  }

  @Test("near copies are found, mirrored ones only if training mirrors")
  func nearCopies() {
    // 80 training images of noise that is coarse enough to survive at 16x16.
    let side = 32
    func picture(_ salt: Int) -> [UInt8] {
      let blocks = Formula.bytes(salt: salt, count: 8 * 8 * 3)
      return (0..<side * side * 3).map { index in
        let (pixel, channel) = index.quotientAndRemainder(dividingBy: 3)
        return blocks[(pixel / side / 4 * 8 + pixel % side / 4) * 3 + channel]
      }
    }
    func mirrored(_ pixels: [UInt8]) -> [UInt8] {
      pixels.indices.map { index in
        let (pixel, channel) = index.quotientAndRemainder(dividingBy: 3)
        return pixels[(pixel / side * side + side - 1 - pixel % side) * 3 + channel]
      }
    }
    let training = (0..<80).map { picture(80_000 + $0) }
    let noisy = training[5].map { $0 > 127 ? $0 - 9 : $0 + 9 }
    let other = picture(90_000)
    let all = training.flatMap { $0 }
    for mirrors in [false, true] {
      let copies = NearCopies(
        all, side: side, channels: 3, mirrors: mirrors, workers: Workers(count: 2))
      #expect(copies.metrics(noisy) == .init(share: 1, nearest: 9))
      #expect(copies.metrics(other).share == 0)
      let turned = copies.metrics(mirrored(training[9]))
      #expect(turned.share == (mirrors ? 1 : 0))
      #expect((turned.nearest == 0) == mirrors)
      // A training image is not a copy of itself.
      #expect(copies.metrics(training[7], own: [7]).share == 0)
      #expect(copies.metrics(noisy + other).share == 0.5)
    }
    // Compare with the definition.
    let copies = NearCopies(
      all, side: side, channels: 3, mirrors: false, workers: Workers(count: 1))
    func thumbnail(_ pixels: [UInt8]) -> [Double] {
      (0..<16 * 16 * 3).map { index in
        let (pixel, channel) = index.quotientAndRemainder(dividingBy: 3)
        let corner = 2 * (pixel / 16) * side + 2 * (pixel % 16)
        return [0, 1, side, side + 1].reduce(0) {
          $0 + Double(pixels[(corner + $1) * 3 + channel]) / 4
        }
      }
    }
    let distances = training.map { one in
      (zip(thumbnail(one), thumbnail(other)).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / 768)
        .squareRoot()
    }
    #expect(abs(copies.metrics(other).nearest - distances.min()!) < 1e-3)
  }

  @Test("the held-out set depends only on the images, and identical ones stay together")
  func heldOut() async throws {
    let scratch = try Scratch()
    for number in 0..<30 {
      // Image 7 occurs six times.
      let shown = number >= 25 ? 7 : number
      try scratch.write(stripes(shown).encodePNG(), to: "data/a\(number).png")
      try scratch.write(stripes(shown).encodePNG(), to: "other/\(50 - number).png")
    }
    func load(_ name: String) async throws -> PictureSet {
      try await PictureSet.load(
        folder: scratch / name, format: .init(side: 32, channels: 3, rules: .asDisplayed),
        threads: 2)
    }
    let (set, other) = (try await load("data"), try await load("other"))
    func pictures(_ set: PictureSet, _ places: [Int]) -> Set<[UInt8]> {
      Set(places.map { set.selecting([$0]).pixels })
    }
    #expect(set.heldOut(share: 0).isEmpty)
    var grown: Set<[UInt8]> = []
    for share in [0.1, 0.2, 0.5, 0.8] {
      let kept = set.heldOut(share: share)
      #expect(kept == kept.sorted() && kept.count >= Int((30 * share).rounded()))
      #expect(pictures(set, kept) == pictures(other, other.heldOut(share: share)))
      let trained = Set(0..<30).subtracting(kept).sorted()
      #expect(pictures(set, kept).isDisjoint(with: pictures(set, trained)))
      #expect(pictures(set, kept).isSuperset(of: grown), "a larger share holds a smaller one")
      grown = pictures(set, kept)
      let rest = set.selecting(trained)
      #expect(rest.count == trained.count && rest.names == trained.map { set.names[$0] })
    }
  }

  @Test("real images are closer to real ones than noise is, and closest to themselves")
  func meter() async throws {
    let scratch = try Scratch()
    let faces = CartoonFaces(seed: 1)
    for index in 0..<60 {
      try scratch.write(
        faces.picture(index: index, side: 32).encodePNG(), to: "data/\(100 + index).png")
    }
    let set = try await PictureSet.load(
      folder: scratch / "data", format: .init(side: 32, channels: 3, rules: .asDisplayed),
      threads: 2)
    let kept = set.heldOut(share: 0.25)
    let heldOut = set.selecting(kept)
    let training = set.selecting(Set(0..<60).subtracting(kept).sorted())
    let meters = [1, 3].map { threads in
      QualityMeter(
        training: training, heldOut: heldOut, mirrors: true, latentSize: 4, instructionSet: .best,
        threads: threads)
    }
    let meter = meters[0]
    #expect(meter.count == 15 && meter.sides == [32, 16])
    #expect(meters[1].reference == meter.reference)
    let same = meter.measure(heldOut.pixels)
    #expect(same.selectionMetric == 0 && same.toData == meter.reference.toData)
    #expect(same.similarity == meter.reference.similarity && same.copies == meter.reference.copies)
    let fresh = (60..<75).flatMap { faces.picture(index: $0, side: 32).pixels }
    let noise = Formula.bytes(salt: 5, count: fresh.count)
    let (good, bad) = (meter.measure(fresh), meter.measure(noise))
    #expect(meters[1].measure(fresh) == good)
    #expect(good.selectionMetric > 0 && 2 * good.selectionMetric < bad.selectionMetric)
    #expect(good.copies.share < 0.2 && bad.copies.nearest > good.copies.nearest)
    // The same face every time: no variety, and a copy.
    let one = Array(repeating: training.selecting([3]).pixels, count: 15).flatMap { $0 }
    let collapsed = meter.measure(one)
    #expect(abs(collapsed.similarity - 1) < 1e-9 && collapsed.copies == .init(share: 1, nearest: 0))
    #expect(
      collapsed.similarity > 1.2 * good.similarity
        && good.selectionMetric < collapsed.selectionMetric)
  }

  @Test("a run keeps its best generator and that checkpoint, also across interruptions")
  func run() async throws {
    var tiny = try await TinyRun(epochs: 6)
    tiny.recipe.batch = 3
    tiny.recipe.holdout = 0.2
    tiny.options.qualityEvery = 1
    tiny.options.checkpointEvery = .epochs(1)
    func qualityEvents(_ run: String) throws -> [[String: Any]] {
      try String(decoding: tiny.scratch.bytes("\(run)/log.jsonl"), as: UTF8.self)
        .split(separator: "\n").compactMap {
          try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }.filter { ($0["event"] as? String)?.hasPrefix("quality") == true }
    }
    func withoutTimes(_ lines: [[String: Any]]) -> [NSDictionary] {
      lines.map { $0.filter { $0.key != "seconds" } as NSDictionary }
    }
    _ = try await tiny.begin("whole")
    let lines = try qualityEvents("whole")
    #expect(lines.first?["event"] as? String == "quality_reference")
    #expect(lines.first?["held_out"] as? Int == 4)
    let measured = lines.dropFirst()
    #expect(measured.compactMap { $0["epoch"] as? Int } == Array(1...6))
    for key in ["swd_holdout", "swd_data", "levels_32", "levels_16", "ssim", "nearest", "copies"] {
      #expect(measured.allSatisfy { ($0[key] as? Double)?.isFinite == true }, "\(key)")
    }
    let values = measured.compactMap { $0["swd_holdout"] as? Double }
    let best = try #require(values.indices.min { values[$0] < values[$1] })
    let flags = measured.compactMap { $0["best"] as? Bool }
    #expect(flags == values.indices.map { values[$0] < values[..<$0].min() ?? .infinity })
    // 16 images: five batches of three, and one image that is dropped.
    let step = 5 * (best + 1)
    let kept = Set([step, 25, 30]).sorted().map { RunFolder.checkpointName(step: $0) }
    #expect(try tiny.names(in: "whole").filter { $0.hasPrefix("checkpoint") } == kept)
    let given = try SafetensorsFile(
      bytes: tiny.scratch.bytes("whole/\(RunFolder.bestGeneratorName)"))
    #expect(given.metadata["bollygan.step"] == "\(step)")
    let checkpoint = try SafetensorsFile(
      bytes: tiny.scratch.bytes("whole/\(RunFolder.checkpointName(step: step))"))
    for (name, tensor) in given.tensors { #expect(checkpoint.tensors["average.\(name)"] == tensor) }

    for cut in [7, 17, 28] {
      var other = tiny
      other.beforeStep = { if $0 == cut { throw PowerCut() } }
      await #expect(throws: PowerCut.self) { try await other.begin("cut-\(cut)") }
      other.beforeStep = { _ in }
      other.threads = 2
      other.options.threads = 2
      _ = try await other.resume("cut-\(cut)")
      let names = try other.names(in: "cut-\(cut)")
      #expect(try names == other.names(in: "whole"))
      #expect(try withoutTimes(qualityEvents("cut-\(cut)")) == withoutTimes(lines))
      for name in ["generator.safetensors", RunFolder.bestGeneratorName] {
        #expect(
          try other.scratch.bytes("cut-\(cut)/\(name)") == other.scratch.bytes("whole/\(name)"))
      }
    }
  }

  @Test("measuring changes no weights, and the last epoch is always measured")
  func harmless() async throws {
    var tiny = try await TinyRun(epochs: 3)
    _ = try await tiny.begin("whole")
    tiny.options.qualityEvery = 2
    _ = try await tiny.begin("measured")
    #expect(try tiny.outcome("measured") == tiny.outcome("whole"))
    let log = String(decoding: try tiny.scratch.bytes("measured/log.jsonl"), as: UTF8.self)
    let lines = log.split(separator: "\n").filter { $0.contains("\"event\":\"quality\"") }
    #expect(lines.count == 2)
    for (line, epoch) in zip(lines, [2, 3]) {
      #expect(line.contains("\"epoch\":\(epoch),\"swd_data\""))
    }
  }

  @Test("the radix sort agrees with sorting by comparison")
  func sorting() {
    let numbers = Formula.floats(salt: 3, count: 5000, spread: 3) + [0, -1e-30, 1e30, -1e30, 7, 7]
    #expect(sortedByDigits(numbers) == numbers.sorted())
    #expect(sortedByDigits([]) == [])
  }
}
