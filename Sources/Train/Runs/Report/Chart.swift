import BollyGANTraining

/// A diagram of some curves with one axis, for the script of a ``Page``.
struct Chart {
  struct Line {
    var name: String
    var curve: Curve
  }

  var title: String
  /// What to know when looking at it, in a sentence.
  var hint: String?
  var lines: [Line]
  /// Lowest and highest value of the axis; nil where the curves say.
  var range: ClosedRange<Double>?

  var json: String {
    let lines = lines.map { line in
      let points = line.curve.points
      func list(_ value: (Curve.Point) -> String) -> String {
        "[\(points.map(value).joined(separator: ","))]"
      }
      let isPlain = points.allSatisfy { $0.low == $0.high }
      return "{\"name\":\(scriptJSON(line.name))"
        // The end of a point's steps: a curve then reaches to where the run stands.
        + ",\"x\":\(list { "\($0.last)" }),\"y\":\(list { shortNumber($0.mean) })"
        + (isPlain
          ? ""
          : ",\"low\":\(list { shortNumber($0.low) }),\"high\":\(list { shortNumber($0.high) })")
        + "}"
    }
    return "{\"title\":\(scriptJSON(title)),\"hint\":\(scriptJSON(hint ?? ""))"
      + (range.map { ",\"range\":[\($0.lowerBound),\($0.upperBound)]" } ?? "")
      + ",\"lines\":[\(lines.joined(separator: ","))]}"
  }
}
