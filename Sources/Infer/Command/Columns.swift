// Text for tables in columns.

/// `text`, padded with spaces on the right to `width` columns.
func padded(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.count))
}

/// `value` with `digits` decimal places, aligned to the right of `width` columns.
func number(_ value: Double, _ digits: Int, width: Int) -> String {
  var scale = 1.0
  for _ in 0..<digits { scale *= 10 }
  let units = Int((value * scale).rounded())
  let whole = "\(units / Int(scale))"
  let rest = "\(units % Int(scale))"
  let text =
    digits == 0
    ? whole : whole + "." + String(repeating: "0", count: digits - rest.count) + rest
  return String(repeating: " ", count: max(0, width - text.count)) + text
}
