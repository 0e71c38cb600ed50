/// A chart of several curves over one axis, for the script of a ``Page``.
struct Chart {
  struct Line {
    var name: String
    var curve: Curve
  }

  var title: String
  /// How to read it.
  var hint: String?
  var lines: [Line]
  /// The range of the vertical axis; nil to fit the curves.
  var range: ClosedRange<Double>?

  /// The chart as the script reads it.
  var json: String {
    let lines = lines.map { line in
      let points = line.curve.points
      func list(_ value: (Curve.Point) -> String) -> String {
        "[\(points.map(value).joined(separator: ","))]"
      }
      let isPlain = points.allSatisfy { $0.low == $0.high }
      return "{\"name\":\(scriptJSON(line.name))"
        // The last step of each point, so that the curve reaches the current step.
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
