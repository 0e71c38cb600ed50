import BollyGANExport
import BollyGANModel
import BollyGANTerminal

/// How the files of each format are encoded, checked and written.
extension Write {
  /// An encoded file that is not yet written.
  struct Product {
    var bytes: [UInt8]
    /// The second file, if weights are stored separately.
    var data: (name: String, bytes: [UInt8])?
    /// The format in a few words.
    var summary: String
    /// Reads both files back and compares the network in them with the original.
    var check: ([UInt8], [UInt8]?) throws -> ExportCheck
  }

  /// Encodes a network in the chosen format.
  ///
  /// - Parameter path: where the network was read from.
  func encode<N: RunnableNetwork>(_ file: NetworkFile<N>, from path: String) throws -> Product {
    let (weights, options, storage, dataName) = (file.weights, options, storage, dataName)
    switch chosenFormat {
    case .onnx:
      var metadata = file.metadata
      metadata["modelspec.hash_sha256"] = metadata["modelspec.hash_sha256"] ?? "0x" + file.id
      var model = try weights.onnxModel(options, metadata: metadata)
      let data = externalData ? model.moveDataOut(to: dataName) : nil
      return Product(
        bytes: try model.encoded(), data: data.map { (dataName, $0) },
        summary: "operator set \(options.opset), IR \(options.effectiveIRVersion), "
          + "\(storage.rawValue), normalisation \(keepNorm ? "kept" : "folded")",
        check: { bytes, data in
          try ExportCheck(
            bytes, madeFrom: weights, options: options, data: data.map { (dataName, $0) })
        })
    case .c:
      guard let generator = weights as? GeneratorWeights else {
        preconditionFailure("validate() accepts C for generators only")
      }
      let name = String(output.dropFirst(folder.count))
      let code = CSource(generator, name: CSource.identifier(name), data: dataName)
      let header = Array(code.header.utf8)
      return Product(
        bytes: header, data: (dataName, code.weights), summary: "C99, weights in \(dataName)",
        check: { text, data in
          guard text == header, let data,
            let check = ExportCheck(cWeights: data, madeFrom: generator)
          else {
            throw CommandFailure(
              .checkFailed, file: output, "self-check: it reads back differently")
          }
          return check
        })
    case .html:
      guard let generator = file as? GeneratorFile else {
        preconditionFailure("validate() accepts pages for generators only")
      }
      let name = path.split(separator: "/").last.map(String.init) ?? path
      return Product(
        bytes: ExplorerPage.html(for: generator, name: name, storage: storage),
        summary: "page with its own engine, \(storage.rawValue)",
        check: { page, _ in
          try ExportCheck(page: page, madeFrom: generator.weights, storage: storage)
        })
    case .safetensors, .npz, .pth:
      guard let format = TensorFormat(rawValue: chosenFormat.rawValue),
        let type = storage.tensorType
      else { preconditionFailure("validate() accepts types that the format has") }
      return Product(
        bytes: format.encoded(
          weights.storedTensors(type: type),
          metadata: file.weightsMetadata.merging(weights.describingMetadata) { $1 },
          title: "DCGAN \(N.kind.rawValue)", side: weights.shape.side),
        summary: "\(format.rawValue), \(storage.rawValue)",
        check: { bytes, _ in try ExportCheck(bytes, format, madeFrom: weights, storage: storage) })
    }
  }

  /// Writes a product under its name if its check holds.
  func save(_ product: Product) throws -> ExportCheck {
    guard let data = product.data else {
      return try saveChecked(product.bytes, to: output) {
        try holding(product.check($0, nil))
      }
    }
    return try saveChecked(
      product.bytes, to: output, with: data.bytes, at: folder + data.name
    ) { try holding(product.check($0, $1)) }
  }

  /// The result of a check if it holds.
  private func holding(_ check: @autoclosure () throws -> ExportCheck) throws -> ExportCheck {
    let result: ExportCheck
    do {
      result = try check()
    } catch let failure as CommandFailure {
      throw failure
    } catch {
      throw CommandFailure(
        .checkFailed, file: output, "self-check: it cannot be read back: \(error)")
    }
    guard result.holds else {
      throw CommandFailure(
        .checkFailed, file: output,
        "self-check: \(discriminator ? "scores" : "faces") from the file differ from the engine's by "
          + "up to \(result.largestDifference), the bound is \(ExportCheck.tolerance); nothing was "
          + "written"
      )
    }
    return result
  }

  /// Writes the files that the runtimes' own test programs read.
  func writeTestData(_ weights: some RunnableNetwork) throws {
    let place = folder + "test_data_set_0"
    try makeFolder(place)
    let data = ONNXTestData(weights, options: options)
    for (name, tensor) in [("input_0.pb", data.input), ("output_0.pb", data.output)] {
      var file = try OutputFile("\(place)/\(name)")
      try file.write(tensor.encoded())
      try file.finish()
    }
  }

  /// The output's folder with a slash at its end, or empty.
  private var folder: String {
    output.lastIndex(of: "/").map { String(output[...$0]) } ?? ""
  }

  /// The name of the second file, if weights are stored separately.
  private var dataName: String {
    let name = output.dropFirst(folder.count)
    guard chosenFormat == .c else { return name + ".data" }
    return (name.hasSuffix(".h") && name.count > 2 ? name.dropLast(2) : name) + ".bin"
  }
}
