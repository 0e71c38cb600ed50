/// Text from a file or a command line, fit for one line of a message: in quotes, at most 200 bytes,
/// everything that could move a cursor or hide text written as `\u{...}`.
package func quoted(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    var piece = ""
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
      piece = "\\u{\(String(scalar.value, radix: 16))}"
    default:
      if scalar == "\"" || scalar == "\\" { piece = "\\" }
      piece.unicodeScalars.append(scalar)
    }
    guard result.utf8.count + piece.utf8.count <= 201 else { return result + "...\"" }
    result += piece
  }
  return result + "\""
}
