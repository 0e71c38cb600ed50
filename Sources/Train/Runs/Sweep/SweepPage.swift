import BollyGANModel
import BollyGANTraining

/// What there is to see of a sweep, as one HTML page (`sweep.html`).
package struct SweepPage: Sendable {
  package static let name = "sweep.html"

  package var title: String
  package var ranking: SweepRanking
  /// The last sheet of samples of each run that has one, by its folder's name.
  package var sheets: [String: SampleSheets.Sheet]
  /// When it is written, in words.
  package var time: String

  package init(
    title: String, ranking: SweepRanking, sheets: [String: SampleSheets.Sheet], time: String
  ) {
    self.title = title
    self.ranking = ranking
    self.sheets = sheets
    self.time = time
  }

  /// The page.
  package var html: String {
    let done = ranking.rows.filter { ![.waiting, .running].contains($0.state) }.count
    let figure =
      ranking.figure.map { "Ranked by \($0.replacing("_", with: " ")), lower is better." }
      ?? "No run has measured a sliced Wasserstein distance, so nothing is ranked: the settings stand in "
      + "the order of their file."
    let body = """
      <header>
      <h1>\(html: title)</h1>
      <p class="facts">\(done) of \(ranking.rows.count) settings tried. \(html: figure)</p>
      </header>
      <section>
      <h2>Ranking</h2>
      <div class="scroll"><table class="ranking">
      <thead><tr><th class="number">Rank</th><th>Setting</th><th>State</th><th class="number">Epoch</th>\
      <th class="number">Best</th><th class="number">in epoch</th>\
      <th class="number">\(html: ranking.equalEpochs.map { "By epoch \($0)" } ?? "At equal epochs")</th>\
      <th class="number">Loss D</th><th class="number">Loss G</th><th class="number">Pictures/s</th></tr></thead>
      <tbody>\(ranking.rows.map(Self.row).joined(separator: "\n"))</tbody>
      </table></div>
      </section>
      <section>
      <h2>Curves</h2>
      <p class="hint">Over the epochs, a line for each setting.</p>
      <div class="charts" id="charts"></div>
      </section>
      <section>
      <h2>Faces</h2>
      <p class="hint">The last samples of each setting, drawn by its generator. No photograph is shown.</p>
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
      <img alt="generated faces" width="\(sheet.width)" height="\(sheet.height)" src="\(sheet.address)">
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
    if let figure = ranking.figure {
      charts.append(
        chart(figure.replacing("_", with: " ")) {
          SweepEntry.measurements(of: figure, in: $0)
        })
    }
    charts += [
      chart("Generator's loss", epochs("loss_g")), chart("Discriminator's loss", epochs("loss_d")),
      chart("D(x)", epochs("d_x")), chart("D(G(z))", epochs("d_gz1")),
    ]
    let last = ranking.rows.map(\.epoch).max() ?? 0
    let json = charts.filter { !$0.lines.isEmpty }.map(\.json).joined(separator: ",")
    return "{\"charts\":[\(json)],\"marks\":[],\"stepsPerEpoch\":null,\"last\":\(last),"
      + "\"axis\":\"epoch\"}"
  }
}
