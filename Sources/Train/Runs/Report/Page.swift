import BollyGANModel
import BollyGANTraining

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// An HTML page that is one file: style, script, figures and pictures within, nothing fetched.
struct Page {
  var title: String
  /// Sections in HTML, whatever comes from files in them escaped.
  var body: String
  /// What the script draws, as JSON.
  var figures: String

  /// The file's text.
  ///
  /// A policy in its head allows no address but `data:`, no script and no style but its own, so that even a
  /// mistake in escaping could neither run nor tell anybody anything.
  var html: String {
    let style = String(decoding: PackageResources.page_css, as: UTF8.self)
    let script = String(decoding: PackageResources.page_js, as: UTF8.self)
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
      style-src '\(policy: style)'; script-src '\(policy: script)'">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta name="generator" content="BollyGAN \(bollyganVersion)">
      <title>\(html: title)</title>
      <style>\(style)</style>
      </head>
      <body>
      <main>
      \(body)
      </main>
      <script type="application/json" id="figures">\(figures)</script>
      <script>\(script)</script>
      </body>
      </html>

      """
  }
}

extension DefaultStringInterpolation {
  /// What a policy calls the text of an element.
  fileprivate mutating func appendInterpolation(policy text: String) {
    var hash = SHA256()
    hash.update(Array(text.utf8))
    appendLiteral("sha256-" + Data(hash.digest()).base64EncodedString())
  }

  /// Text from anywhere, within an element or a quoted attribute.
  mutating func appendInterpolation(html text: String) {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\n", "\t": result.unicodeScalars.append(scalar)
      default: result.unicodeScalars.append(shown(scalar))
      }
    }
    appendLiteral(result)
  }
}

/// A character, or the sign that there is one which would not be seen or would turn the text around.
private func shown(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
  switch scalar.properties.generalCategory {
  case .control, .format, .surrogate, .privateUse, .unassigned: "\u{FFFD}"
  default: scalar
  }
}

/// JSON that may stand within a `script` element: no text in it can end the element.
func scriptJSON(_ text: String) -> String {
  var result = ""
  for scalar in LogLine.quoted(text).unicodeScalars {
    switch scalar {
    case "<", ">", "&", "\u{2028}", "\u{2029}":
      let digits = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: result.unicodeScalars.append(shown(scalar))
    }
  }
  return result
}

/// A number in as many significant digits as a curve shows.
func shortNumber(_ value: Double, digits: Int = 5) -> String {
  guard value.isFinite else { return "null" }
  guard value != 0 else { return "0" }
  var limit = 1.0
  for _ in 0..<digits { limit *= 10 }
  var scaled = abs(value)
  var factor = 1.0
  while scaled * factor < limit / 10, factor < 1e15 { factor *= 10 }
  scaled = (abs(value) * factor).rounded() / factor
  let text = "\(value < 0 ? -scaled : scaled)"
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}

/// A whole number with a comma behind each third digit.
func groupedNumber(_ value: Int) -> String {
  var digits = Array(String(abs(value)))
  for place in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: place) }
  return (value < 0 ? "−" : "") + String(digits)
}
