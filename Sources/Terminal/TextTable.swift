/// Lays out a table as lines of text, with two spaces between columns.
///
/// - Parameters:
///   - rows: The cells, safe to print. Every row has the same number.
///   - left: How many of the first columns are aligned left. The others are aligned right.
package func tableLines(_ rows: [[String]], left: Int) -> [String] {
  guard let first = rows.first else { return [] }
  let widths = first.indices.map { column in rows.map { $0[column].count }.max()! }
  return rows.map { row in
    let line = row.indices.map { column in
      let padding = String(repeating: " ", count: widths[column] - row[column].count)
      return column < left ? row[column] + padding : padding + row[column]
    }.joined(separator: "  ")
    let end = line.lastIndex { $0 != " " }
    return end.map { String(line[...$0]) } ?? ""
  }
}
