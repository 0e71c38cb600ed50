import BollyGANExport
import BollyGANModel
import Testing

@Suite("Files of tensors and C")
struct OtherFormatTests {
  static let weights: GeneratorWeights = {
    var weights = GeneratorWeights.random(
      try! DCGANShape(latent: 4, generatorWidths: [5, 3, 3], channels: 3))
    weights.slope = 0.25
    weights.layers[3].bias = [0.5, -0.25, 0]
    return weights
  }()

  @Test("a written file is read back, and the check holds", arguments: TensorFormat.allCases)
  func roundTrip(format: TensorFormat) throws {
    for storage in format.storages {
      let bytes = format.encoded(
        Self.weights.storedTensors(type: storage.tensorType!), metadata: [:], title: "x", side: 32)
      let check = try ExportCheck(bytes, format, madeFrom: Self.weights, storage: storage)
      #expect(check.holds && (check.largestCost > 0) == (storage != .f32))
      // The check fails for another network.
      var other = Self.weights
      other.layers[1].kernel.values[7] += 0.5
      #expect(try !ExportCheck(bytes, format, madeFrom: other, storage: storage).holds)
    }
  }

  @Test(
    "a truncated state_dict is refused, wherever it ends", arguments: TensorFormat.allCases)
  func truncated(format: TensorFormat) throws {
    let bytes = format.encoded(
      Self.weights.storedTensors(), metadata: [:], title: "x", side: 32)
    for count in stride(from: 0, to: bytes.count, by: 101) {
      #expect(throws: (any Error).self) {
        try ExportCheck(Array(bytes[..<count]), format, madeFrom: Self.weights, storage: .f32)
      }
    }
  }

  @Test("the weights of a C header are checked number by number")
  func cWeights() throws {
    let code = CSource(Self.weights, name: "faces", data: "faces.bin")
    #expect(ExportCheck(cWeights: code.weights, madeFrom: Self.weights)?.holds == true)
    #expect(ExportCheck(cWeights: code.weights.dropLast(), madeFrom: Self.weights) == nil)
    #expect(ExportCheck(cWeights: code.weights + [0], madeFrom: Self.weights) == nil)
    var other = Self.weights
    other.layers[3].bias = nil
    #expect(ExportCheck(cWeights: code.weights, madeFrom: other)?.holds == false)
  }

  @Test("every placeholder of the header is filled, and no name ends its comment")
  func header() {
    let code = CSource(Self.weights, name: "faces", data: "a*/b\nü.bin")
    #expect(!code.header.contains("@"))
    #expect(code.header.contains("a* /b__.bin"))
    #expect(code.header.contains("*= 0.25f"))
  }

  @Test(
    "a file's name becomes an identifier in C",
    arguments: [
      ("faces.h", "faces"), ("2x.h", "g2x"), ("a-b c.tar.h", "a_b_c"), (".h", "faces"),
      ("ü.h", "g__"), ("_x", "g_x"),
    ])
  func identifiers(file: String, name: String) {
    #expect(CSource.identifier(file) == name)
  }
}
