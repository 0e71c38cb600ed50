/// Untrusted text in quotes, safe to print in one line of a message.
///
/// The result has at most 200 bytes of text. Anything that could move the cursor or hide text is
/// escaped as `\u{...}`.
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
