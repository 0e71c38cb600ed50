/// Lines of columns one beside the other, two spaces between them.
///
/// - Parameters:
///   - rows: The cells, in every row as many; safe to show.
///   - left: Columns from the first on whose text begins at the left; that of the others ends at the
///     right, as numbers do.
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
