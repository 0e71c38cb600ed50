// swift-tools-version: 6.2
// The targets and who may depend on whom; Documentation/Architecture.md explains the structure.
import PackageDescription

let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
]

let arguments = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "BollyGAN",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "BollyGANModel", targets: ["BollyGANModel"]),
    .library(name: "BollyGANPictures", targets: ["BollyGANPictures"]),
    .library(name: "BollyGANInfer", targets: ["BollyGANInfer"]),
    .library(name: "BollyGANTrain", targets: ["BollyGANTraining", "BollyGANRuns"]),
    .library(name: "BollyGANExport", targets: ["BollyGANExport"]),
    .executable(name: "bollygan-infer", targets: ["bollygan-infer"]),
    .executable(name: "bollygan-train", targets: ["bollygan-train"]),
    .executable(name: "bollygan-export", targets: ["bollygan-export"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
  ],
  targets: [
    // The definition of a DCGAN: shapes, named weights and their files, latents, random numbers.
    .target(name: "BollyGANModel", path: "Sources/Model", swiftSettings: strict),

    // The hot loops, in C.
    .target(
      name: "BollyGANKernels", path: "Sources/Kernels",
      cSettings: [.enableWarning("all"), .enableWarning("extra"), .treatAllWarnings(as: .error)]),

    // Reading and writing of image files.
    .systemLibrary(
      name: "CPNG", path: "Sources/Pictures/CPNG", pkgConfig: "libpng",
      providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),
    .systemLibrary(
      name: "CJPEG", path: "Sources/Pictures/CJPEG", pkgConfig: "libjpeg",
      providers: [.apt(["libjpeg62-turbo-dev"]), .brew(["jpeg-turbo"])]),
    .systemLibrary(
      name: "CWebP", path: "Sources/Pictures/CWebP", pkgConfig: "libwebpmux",
      providers: [.apt(["libwebp-dev"]), .brew(["webp"])]),
    .target(
      name: "BollyGANPictureShims", dependencies: ["CPNG", "CJPEG", "CWebP"],
      path: "Sources/Pictures/Shims",
      cSettings: [.enableWarning("all"), .enableWarning("extra"), .treatAllWarnings(as: .error)],
      // The pkg-config file of libwebpmux names these two at most as requirements.
      linkerSettings: [.linkedLibrary("webpdemux"), .linkedLibrary("webp")]),
    .target(
      name: "BollyGANPictures", dependencies: ["BollyGANPictureShims"],
      path: "Sources/Pictures", exclude: ["CPNG", "CJPEG", "CWebP", "Shims"],
      swiftSettings: strict),

    // C that protoc-c generates from the .proto files beside it (`make proto`).
    .systemLibrary(
      name: "CProtobufC", path: "Sources/Proto/CProtobufC", pkgConfig: "libprotobuf-c",
      providers: [.apt(["libprotobuf-c-dev"]), .brew(["protobuf-c"])]),
    .target(
      name: "BollyGANProto", dependencies: ["CProtobufC"], path: "Sources/Proto",
      exclude: ["CProtobufC", "onnx.proto", "tfevents.proto", "generate.sh"]),

    // A Swift arena for the memory of those C messages.
    .target(
      name: "BollyGANMessages", dependencies: ["BollyGANProto"], path: "Sources/Messages",
      swiftSettings: strict),

    // Shared by the three commands: progress, messages, checked standard output, exit statuses.
    .target(
      name: "BollyGANTerminal", dependencies: ["BollyGANModel", "BollyGANKernels", arguments],
      path: "Sources/Terminal", swiftSettings: strict),

    // The Swift interface to the kernels, for the engine and the trainer.
    .target(
      name: "BollyGANCompute", dependencies: ["BollyGANModel", "BollyGANKernels"],
      path: "Sources/Compute", swiftSettings: strict),

    // The inference engine, and a plain one to check it against.
    .target(
      name: "BollyGANInfer",
      dependencies: ["BollyGANModel", "BollyGANKernels", "BollyGANCompute"],
      path: "Sources/Infer", exclude: ["Command"], swiftSettings: strict),
    // The algorithm: recipes, techniques, losses, gradients, Adam.
    .target(
      name: "BollyGANTraining",
      dependencies: ["BollyGANModel", "BollyGANKernels", "BollyGANCompute"],
      path: "Sources/Train/Training", swiftSettings: strict),
    // A training run on disk: data folder, checkpoints, log, metrics, reports.
    .target(
      name: "BollyGANRuns",
      dependencies: [
        "BollyGANModel", "BollyGANCompute", "BollyGANPictures", "BollyGANMessages",
        "BollyGANInfer", "BollyGANTraining",
      ],
      path: "Sources/Train/Runs",
      // Embedded in the binary, so an installed command is a single file.
      resources: [.embedInCode("Report/Page/page.css"), .embedInCode("Report/Page/page.js")],
      swiftSettings: strict),
    // Cartoon faces to train on.
    .target(
      name: "BollyGANDemo", dependencies: ["BollyGANModel", "BollyGANPictures"],
      path: "Sources/Train/Demo", swiftSettings: strict),
    // Conversion to and from ONNX and other formats.
    .target(
      name: "BollyGANExport",
      dependencies: ["BollyGANModel", "BollyGANMessages", "BollyGANInfer"],
      path: "Sources/Export", exclude: ["Command", "Page/Engine"],
      // Within the binary, so that an installed command is one file.
      resources: [
        .embedInCode("Page/engine.wasm"), .embedInCode("Page/index.html"),
        .embedInCode("Page/page.css"), .embedInCode("Page/Scripts"),
      ],
      swiftSettings: strict),

    .executableTarget(
      name: "bollygan-infer",
      dependencies: [
        "BollyGANModel", "BollyGANInfer", "BollyGANPictures", "BollyGANExport",
        "BollyGANTerminal", arguments,
      ],
      path: "Sources/Infer/Command", swiftSettings: strict),
    .executableTarget(
      name: "bollygan-train",
      dependencies: [
        "BollyGANModel", "BollyGANInfer", "BollyGANPictures", "BollyGANTraining", "BollyGANRuns",
        "BollyGANDemo", "BollyGANTerminal", arguments,
      ],
      path: "Sources/Train/Command", swiftSettings: strict),
    .executableTarget(
      name: "bollygan-export",
      dependencies: [
        "BollyGANModel", "BollyGANInfer", "BollyGANExport", "BollyGANTerminal", arguments,
      ],
      path: "Sources/Export/Command", swiftSettings: strict),

    // Helpers for several test targets.
    .target(name: "TestSupport", path: "Tests/Support", swiftSettings: strict),
    .testTarget(
      name: "ModelTests", dependencies: ["BollyGANModel"], exclude: ["Fixtures"],
      swiftSettings: strict),
    .testTarget(
      name: "KernelTests", dependencies: ["BollyGANKernels"], swiftSettings: strict),
    .testTarget(
      name: "TerminalTests", dependencies: ["BollyGANTerminal", "BollyGANModel"],
      swiftSettings: strict),
    .testTarget(
      name: "PicturesTests", dependencies: ["BollyGANPictures", "TestSupport"],
      exclude: ["Fixtures"], swiftSettings: strict),
    .testTarget(
      name: "InferTests", dependencies: ["BollyGANInfer", "BollyGANModel"],
      exclude: ["Fixtures"], swiftSettings: strict),
    .testTarget(
      name: "TrainTests",
      dependencies: [
        "BollyGANTraining", "BollyGANRuns", "BollyGANDemo", "BollyGANCompute", "BollyGANInfer",
        "BollyGANModel", "BollyGANPictures",
      ],
      exclude: ["Fixtures"], swiftSettings: strict),
    .testTarget(
      name: "ExportTests",
      dependencies: ["BollyGANExport", "BollyGANModel", "BollyGANInfer", "TestSupport"],
      exclude: ["Fixtures"], swiftSettings: strict),
    // Runs the built commands as a user would.
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "BollyGANModel", "BollyGANInfer", "BollyGANPictures", "BollyGANTerminal",
        "bollygan-infer", "bollygan-train", "bollygan-export",
      ],
      exclude: ["Train/faults.c"], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu17
)
