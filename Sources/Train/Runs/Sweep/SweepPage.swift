import BollyGANModel

/// The page of a sweep, `sweep.html`: ranking, curves and faces.
package struct SweepPage: Sendable {
  /// The name of the file.
  package static let name = "sweep.html"

  /// The title of the page.
  package var title: String
  /// All settings, best first.
  package var ranking: SweepRanking
  /// The last sample sheet of each run that has one, by the name of its folder.
  package var sheets: [String: SampleSheets.Sheet]
  /// When the page is written.
  package var time: String

  package init(
    title: String, ranking: SweepRanking, sheets: [String: SampleSheets.Sheet], time: String
  ) {
    self.title = title
    self.ranking = ranking
    self.sheets = sheets
    self.time = time
  }

  /// The page as HTML.
  package var html: String {
    let done = ranking.rows.filter { ![.waiting, .running].contains($0.state) }.count
    let order =
      ranking.metric.map { "Ranked by \($0.replacing("_", with: " ")), lower is better." }
      ?? "Not ranked, because no run has measured a sliced Wasserstein distance. The settings are "
      + "in the order of their file."
    let equalEpochs = ranking.equalEpochs.map { "By epoch \($0)" } ?? "At equal epochs"
    let body = """
      <header>
      <h1>\(html: title)</h1>
      <p class="facts">\(done) of \(ranking.rows.count) settings tried. \(html: order)</p>
      </header>
      <section>
      <h2>Ranking</h2>
      <div class="scroll"><table class="ranking">
      <thead><tr><th class="number">Rank</th><th>Setting</th><th>State</th>\
      <th class="number">Epoch</th>\
      <th class="number">Best</th><th class="number">Best epoch</th>\
      <th class="number">\(html: equalEpochs)</th>\
      <th class="number">Loss D</th><th class="number">Loss G</th>\
      <th class="number">Images/s</th></tr></thead>
      <tbody>\(ranking.rows.map(Self.row).joined(separator: "\n"))</tbody>
      </table></div>
      </section>
      <section>
      <h2>Curves</h2>
      <p class="hint">By epoch, with one line per setting.</p>
      <div class="charts" id="charts"></div>
      </section>
      <section>
      <h2>Faces</h2>
      <p class="hint">The latest samples of each setting, all generated. No photograph is shown.</p>
      <div class="charts">\(ranking.rows.map(card).joined(separator: "\n"))</div>
      </section>
      <footer>Written \(html: time) by BollyGAN \(bollyganVersion).</footer>
      """
    return Page(title: "\(title) · BollyGAN", body: body, figures: figures).html
  }

  private static func row(_ row: SweepRanking.Row) -> String {
    func number(_ value: Double?, digits: Int = 4) -> String {
      "<td class=\"number\">\(value.map { shortNumber($0, digits: digits) } ?? "")</td>"
    }
    func whole(_ value: Int?) -> String {
      "<td class=\"number\">\(value.map(groupedNumber) ?? "")</td>"
    }
    return "<tr>\(whole(row.rank))<td>\(html: row.setting)</td>"
      + "<td><span class=\"state \(row.state.rawValue)\">\(row.state.rawValue)</span></td>"
      + "<td class=\"number\">\(row.epoch)\(row.epochs.map { "/\($0)" } ?? "")</td>"
      + number(row.best) + whole(row.bestEpoch) + number(row.atEqualEpochs)
      + number(row.lossD, digits: 3) + number(row.lossG, digits: 3)
      + number(row.picturesPerSecond, digits: 3) + "</tr>"
  }

  private func card(_ row: SweepRanking.Row) -> String {
    guard let sheet = sheets[row.run] else { return "" }
    let rank = row.rank.map { "\($0). " } ?? ""
    return """
      <figure class="sheets"><h3>\(rank)\(html: row.setting)</h3>
      <p class="hint">epoch \(sheet.epoch)</p>
      <img alt="generated faces" width="\(sheet.width)" height="\(sheet.height)" \
      src="\(sheet.address)">
      </figure>
      """
  }

  private var figures: String {
    func chart(_ title: String, _ values: (RunHistory) -> [(epoch: Int, value: Double)]) -> Chart {
      let lines = ranking.entries.compactMap { entry -> Chart.Line? in
        var curve = Curve()
        for (epoch, value) in values(entry.history) { curve.add(step: epoch, value) }
        return curve.points.isEmpty ? nil : Chart.Line(name: entry.setting.name, curve: curve)
      }
      return Chart(title: title, lines: lines)
    }
    func epochs(_ name: String) -> (RunHistory) -> [(epoch: Int, value: Double)] {
      { history in
        guard let curve = history.epochs[name], let steps = history.stepsPerEpoch else { return [] }
        return curve.points.map { (($0.last + steps - 1) / steps, $0.mean) }
      }
    }
    var charts: [Chart] = []
    if let metric = ranking.metric {
      charts.append(
        chart(metric.replacing("_", with: " ")) {
          SweepEntry.measurements(of: metric, in: $0)
        })
    }
    charts += [
      chart("Generator loss", epochs("loss_g")), chart("Discriminator loss", epochs("loss_d")),
      chart("D(x)", epochs("d_x")), chart("D(G(z))", epochs("d_gz1")),
    ]
    let last = ranking.rows.map(\.epoch).max() ?? 0
    let json = charts.filter { !$0.lines.isEmpty }.map(\.json).joined(separator: ",")
    return "{\"charts\":[\(json)],\"marks\":[],\"stepsPerEpoch\":null,\"last\":\(last),"
      + "\"axis\":\"epoch\"}"
  }
}
