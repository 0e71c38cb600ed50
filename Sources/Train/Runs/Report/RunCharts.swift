import BollyGANTraining

/// The charts of a run.
///
/// Values that this version knows have a place and a name. Any other number in the log gets a chart
/// too, together with those whose names start with the same word.
struct RunCharts {
  let all: [Chart]

  init(_ history: RunHistory, loss: AdversarialLoss) {
    func lines(_ curves: RunHistory.Curves, _ names: [String]) -> [Chart.Line] {
      names.compactMap { name in
        guard let curve = curves[name], !curve.points.isEmpty else { return nil }
        return Chart.Line(name: Self.labels[name] ?? name.replacing("_", with: " "), curve: curve)
      }
    }
    func groups(_ names: [String]) -> [(title: String, names: [String])] {
      var groups: [(title: String, names: [String])] = []
      for name in names {
        let title = Self.group(of: name)
        if let place = groups.firstIndex(where: { $0.title == title }) {
          groups[place].names.append(name)
        } else {
          groups.append((title, [name]))
        }
      }
      return groups
    }
    let known = Set(Self.losses + Self.scores)
    var charts = [
      Chart(
        title: "Losses",
        hint: Self.hint(loss),
        lines: lines(history.steps, Self.losses)),
      Chart(
        title: "Scores",
        hint: loss.isRelativistic
          ? "Probability that an image looks more real than the average of the other kind."
          : "The discriminator's mean answer: 1 for real, 0 for fake.",
        lines: lines(history.steps, Self.scores), range: 0...1),
    ]
    for group in groups(history.quality.names) {
      charts.append(
        Chart(
          title: Self.title(group.title), hint: Self.hint(group.title, history.reference),
          lines: lines(history.quality, group.names)))
    }
    for name in history.inspections.names {
      charts.append(
        Chart(
          title: Self.title(name), hint: Self.hint(name, [:]),
          lines: lines(history.inspections, [name])))
    }
    var rates = lines(history.rates, history.rates.names)
    if rates.count > 1, rates.allSatisfy({ $0.curve == rates[0].curve }) {
      rates = [Chart.Line(name: "both networks", curve: rates[0].curve)]
    }
    charts.append(Chart(title: "Learning rate", lines: rates))
    charts.append(
      Chart(title: "Images per second", lines: lines(history.epochs, ["pictures_per_second"])))
    for group in groups(history.steps.names.filter { !known.contains($0) }) {
      charts.append(
        Chart(title: Self.title(group.title), lines: lines(history.steps, group.names)))
    }
    // An epoch's means of step values repeat charts above.
    let shown = Set(history.steps.names + ["seconds", "pictures_per_second"])
    for group in groups(history.epochs.names.filter { !shown.contains($0) }) {
      charts.append(
        Chart(title: Self.title(group.title), lines: lines(history.epochs, group.names)))
    }
    all = charts.filter { !$0.lines.isEmpty }
  }

  private static let losses = ["loss_d", "loss_g"]
  private static let scores = ["d_x", "d_gz1", "d_gz2"]

  private static let labels = [
    "loss_d": "discriminator", "loss_g": "generator", "d_x": "D(x)", "d_gz1": "D(G(z)) before",
    "d_gz2": "D(G(z)) after", "lr": "both networks", "lr_g": "generator", "lr_d": "discriminator",
    "pictures_per_second": "images per second", "grad_d": "discriminator", "grad_g": "generator",
    "swd_holdout": "to held-out images", "swd_data": "to training images",
    "ssim": "generated faces", "nearest": "generated faces", "copies": "generated faces",
    "spread": "fixed latents", "saturated": "fixed latents",
  ]

  /// What the discriminator's loss means.
  private static func hint(_ loss: AdversarialLoss) -> String {
    let guessing =
      switch loss {
      case .bce, .logistic: "1.39 (2 ln 2)"
      case .hinge: "2"
      case .pairedLogistic: "0.69 (ln 2)"
      case .averageLeastSquares: "1"
      }
    return "A discriminator that guesses has loss \(guessing)."
      + (loss.hasLabels ? " If its loss stays near 0, it has won." : "")
  }

  /// How to read a chart, with the value of real images as a baseline if it is known.
  private static func hint(_ group: String, _ reference: [String: Double]) -> String? {
    func baseline(_ name: String, _ label: String = "Real images") -> String {
      reference[name].map { " \(label): \(shortNumber($0, digits: 3))" } ?? ""
    }
    switch group {
    case "swd":
      return "In thousandths, lower is better."
        + baseline("swd_data", "Baseline (held-out against training)")
    case "levels": return "The same distance by scale: grain, features, shape of the face."
    case "ssim":
      return "Similarity of two faces. It rises as the generator loses variety." + baseline("ssim")
    case "nearest":
      return "Median distance to the nearest training image, in 8-bit steps." + baseline("nearest")
    case "copies":
      return "Share of faces that nearly copy a training image." + baseline("copies")
    case "spread":
      return "Root mean square distance between the faces of the fixed latents, in -1...1. Below a "
        + "quarter of its maximum, the generator has collapsed."
    case "saturated":
      return "Share of values in those faces that are fully black or white."
    default: return nil
    }
  }

  /// `swd` of `swd_holdout`, `grad` of `grad_norm_g`.
  private static func group(of name: String) -> String {
    name.split(separator: "_").first.map(String.init) ?? name
  }

  private static func title(_ group: String) -> String {
    switch group {
    case "swd": "Sliced Wasserstein distance"
    case "ssim", "ms", "msssim": "Multi-scale SSIM"
    case "grad": "Gradient norms"
    case "nearest": "Nearest training image"
    case "saturated": "Saturation"
    default: (group.first?.uppercased() ?? "") + group.dropFirst()
    }
  }
}
