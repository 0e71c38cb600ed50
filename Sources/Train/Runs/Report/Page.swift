import BollyGANModel

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A self-contained HTML page: style, script, data and images in one file that fetches nothing.
struct Page {
  var title: String
  /// The sections in HTML, with all text from files escaped.
  var body: String
  /// The data of the charts as JSON.
  var figures: String

  /// The text of the file.
  ///
  /// A content security policy allows no address but `data:` and no script or style but its own.
  /// Even if text from a file escaped its element, it could neither run nor send anything.
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
  /// The hash by which a policy allows a script or style.
  fileprivate mutating func appendInterpolation(policy text: String) {
    var hash = SHA256()
    hash.update(Array(text.utf8))
    appendLiteral("sha256-" + Data(hash.digest()).base64EncodedString())
  }

  /// Untrusted text, escaped for use in an element or a quoted attribute.
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

/// A character, or U+FFFD in place of one that is invisible or reverses the direction of text.
private func shown(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
  switch scalar.properties.generalCategory {
  case .control, .format, .surrogate, .privateUse, .unassigned: "\u{FFFD}"
  default: scalar
  }
}

/// A JSON string for use in a `script` element, which no text can end.
func scriptJSON(_ text: String) -> String {
  var result = ""
  for scalar in LogEvent.quoted(text).unicodeScalars {
    switch scalar {
    case "<", ">", "&", "\u{2028}", "\u{2029}":
      let digits = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: result.unicodeScalars.append(shown(scalar))
    }
  }
  return result
}

/// A number rounded to a few significant digits.
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

/// A whole number with commas between groups of three digits.
func groupedNumber(_ value: Int) -> String {
  var digits = Array(String(abs(value)))
  for place in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: place) }
  return (value < 0 ? "−" : "") + String(digits)
}
