/// Text from a file or a command line, fit for one line of a message: in quotes, at most 200 bytes
/// of it, everything that could move a cursor or hide text written as `\u{...}`.
package func quoted(_ text: String) -> String {
  var result = "\""
  var byteCount = 0
  for scalar in text.unicodeScalars {
    byteCount += UTF8.width(scalar)
    guard byteCount <= 200 else { return result + "...\"" }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
      result += "\\u{\(String(scalar.value, radix: 16))}"
    default:
      if scalar == "\"" || scalar == "\\" { result += "\\" }
      result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}
