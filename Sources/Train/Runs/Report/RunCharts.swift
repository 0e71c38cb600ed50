import BollyGANTraining

/// Which curves of a run stand in which diagram.
///
/// What this version knows has its place and its name; any other number of the log gets a diagram as
/// well, beside those whose names begin alike.
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
          ? "How likely an image looks more real than the average of the other kind."
          : "The discriminator's mean answer: 1 is real, 0 is made.",
        lines: lines(history.steps, Self.scores), range: 0...1),
    ]
    for group in groups(history.quality.names) {
      charts.append(
        Chart(
          title: Self.title(group.title), hint: Self.hint(group.title, history.reference),
          lines: lines(history.quality, group.names)))
    }
    for name in history.looks.names {
      charts.append(
        Chart(
          title: Self.title(name), hint: Self.hint(name, [:]), lines: lines(history.looks, [name])))
    }
    var rates = lines(history.rates, history.rates.names)
    if rates.count > 1, rates.allSatisfy({ $0.curve == rates[0].curve }) {
      rates = [Chart.Line(name: "both networks", curve: rates[0].curve)]
    }
    charts.append(Chart(title: "Learning rate", lines: rates))
    charts.append(
      Chart(title: "Pictures a second", lines: lines(history.epochs, ["pictures_per_second"])))
    for group in groups(history.steps.names.filter { !known.contains($0) }) {
      charts.append(
        Chart(title: Self.title(group.title), lines: lines(history.steps, group.names)))
    }
    // Of an epoch's figures those of its steps are means of what is shown already.
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
    "pictures_per_second": "pictures a second", "grad_d": "discriminator", "grad_g": "generator",
    "swd_holdout": "to held-out pictures", "swd_data": "to training pictures",
    "ssim": "drawn faces", "nearest": "drawn faces", "copies": "drawn faces",
    "spread": "fixed latents", "saturated": "fixed latents",
  ]

  /// What a discriminator's loss means.
  private static func hint(_ loss: AdversarialLoss) -> String {
    let guessing =
      switch loss {
      case .bce, .logistic: "1.39 (2 ln 2)"
      case .hinge: "2"
      case .pairedLogistic: "0.69 (ln 2)"
      case .averageLeastSquares: "1"
      }
    return "A discriminator that guesses has \(guessing)"
      + (loss.hasLabels ? "; near 0 for long, it has won." : ".")
  }

  /// What to know of a diagram of quality; with what real pictures come to, where that is known.
  private static func hint(_ group: String, _ reference: [String: Double]) -> String? {
    func real(_ name: String, _ words: String) -> String {
      reference[name].map { " \(words) \(shortNumber($0, digits: 3))." } ?? ""
    }
    switch group {
    case "swd":
      return "In thousandths; the lower, the better."
        + real("swd_data", "Held-out pictures have, to training pictures,")
    case "levels": return "The parts of that distance: grain, features, the shape of the face."
    case "ssim":
      return "How alike two faces are; it rises where all grow alike."
        + real("ssim", "Real pictures have")
    case "nearest":
      return "Median distance to the nearest training picture, in 8-bit steps."
        + real("nearest", "Real pictures have")
    case "copies":
      return "Share of the faces that are nearly a training picture."
        + real("copies", "Real pictures have")
    case "spread":
      return "How far apart the fixed latents' faces are (root mean square, in -1...1). At a "
        + "quarter of the most that it was they have collapsed."
    case "saturated":
      return "Share of their values that are black or white to the full."
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
    case "nearest": "Nearest training picture"
    case "saturated": "Saturation"
    default: (group.first?.uppercased() ?? "") + group.dropFirst()
    }
  }
}
