import BollyGANModel

/// The page of a run, `report.html`: its state, faces, curves, events and settings.
package struct RunReport: Sendable {
  /// The run's name, which is that of its folder.
  package var name: String
  /// The run's settings and data.
  package var record: RunRecord
  /// The course of the run so far.
  package var history: RunHistory
  /// The sample sheets to show, in the order of their epochs.
  package var sheets: [SampleSheets.Sheet]
  /// Whether a process is training while this is written.
  package var isRunning: Bool
  /// When the page is written.
  package var time: String

  package init(
    name: String, record: RunRecord, history: RunHistory, sheets: [SampleSheets.Sheet],
    isRunning: Bool, time: String
  ) {
    self.name = name
    self.record = record
    self.history = history
    self.sheets = sheets
    self.isRunning = isRunning
    self.time = time
  }

  /// The page as HTML.
  package var html: String {
    Page(
      title: "\(name) · BollyGAN",
      body: [header, failure, tiles, faces, charts, timeline, settings, footer].joined(
        separator: "\n"),
      figures: figures
    ).html
  }

  // MARK: - Header

  private var state: RunState { RunState(history.phase, isRunning: isRunning) }

  private var header: String {
    let definition = record.definition
    let kept = record.data.heldOut.map { ", \(groupedNumber($0)) of them held out" } ?? ""
    let facts = [
      "recipe \(definition.recipe.name)", "seed \(definition.seed)",
      "\(groupedNumber(record.data.pictures)) images\(kept)",
      "\(definition.side)×\(definition.side)",
      record.processor, "started \(record.date)",
    ]
    return """
      <header>
      <h1>\(html: name) <span class="state \(state.rawValue)">\(state.rawValue)</span></h1>
      <p class="facts">\(html: facts.filter { !$0.isEmpty }.joined(separator: " · "))</p>
      </header>
      """
  }

  private var failure: String {
    guard history.phase == .diverged,
      let event = history.timeline.last(where: { $0.event == "diverged" })
    else { return "" }
    let sentences = [event.text("finding"), event.text("advice")].compactMap {
      $0.map(Self.sentence)
    }
    return """
      <section class="alarm">
      <h2>Training diverged at step \(groupedNumber(event.step ?? history.step))</h2>
      <p>\(html: sentences.joined(separator: " "))</p>
      </section>
      """
  }

  private static func sentence(_ text: String) -> String {
    (text.first?.uppercased() ?? "") + text.dropFirst() + (text.hasSuffix(".") ? "" : ".")
  }

  private var tiles: String {
    let recipe = record.definition.recipe
    var tiles: [(name: String, value: String, note: String)] = []
    tiles.append(("Epoch", "\(groupedNumber(history.epoch))", "of \(groupedNumber(recipe.epochs))"))
    tiles.append(("Step", groupedNumber(history.step), "of \(groupedNumber(record.totalSteps))"))
    func latest(_ key: String) -> Double? {
      history.epochs[key]?.latest ?? history.steps[key]?.latest
    }
    let source = history.epochs.names.isEmpty ? "last step" : "mean of the last epoch"
    if let d = latest("loss_d"), let g = latest("loss_g") {
      tiles.append(("Losses D / G", "\(Self.text(d)) / \(Self.text(g))", source))
    }
    if let real = latest("d_x"), let fake = latest("d_gz1") {
      tiles.append(("D(x) / D(G(z))", "\(Self.text(real)) / \(Self.text(fake))", source))
    }
    if let best = BestMetric(history) {
      tiles.append(
        (
          best.label, shortNumber(best.value, digits: 4),
          "best so far, at step \(groupedNumber(best.step))"
        ))
    }
    if let speed = history.epochs["pictures_per_second"]?.latest {
      let threads = record.options.threads
      tiles.append(
        (
          "Images per second", shortNumber(speed, digits: 3),
          "\(record.options.kernels), \(threads) thread\(threads == 1 ? "" : "s")"
        ))
    }
    let items = tiles.map {
      "<div><dt>\(html: $0.name)</dt><dd>\(html: $0.value)</dd>"
        + "<dd class=\"note\">\(html: $0.note)</dd></div>"
    }
    return "<dl class=\"tiles\">\(items.joined())</dl>"
  }

  private static func text(_ value: Double) -> String {
    let hundredths = Int((abs(value) * 100).rounded())
    let digits = padded(hundredths % 100, to: 2)
    return (value < 0 ? "−" : "") + "\(groupedNumber(hundredths / 100)).\(digits)"
  }

  // MARK: - Faces

  private var faces: String {
    guard let last = sheets.last else {
      return """
        <section><h2>Faces</h2>
        <p class="empty">No samples yet. The first sheet is drawn at the end of the first epoch.</p>
        </section>
        """
    }
    let pictures = sheets.map { sheet in
      let isShown = sheet == last
      return "<img alt=\"64 generated faces after epoch \(sheet.epoch)\" width=\"\(sheet.width)\" "
        + "height=\"\(sheet.height)\" data-epoch=\"\(sheet.epoch)\"\(isShown ? "" : " hidden") "
        + "src=\"\(sheet.address)\">"
    }
    let slider =
      sheets.count > 1
      ? """
      <div class="slider">
      <button type="button" id="play" aria-label="Play">▶</button>
      <input type="range" id="epoch" min="0" max="\(sheets.count - 1)" value="\(sheets.count - 1)" \
      aria-label="Epoch">
      <output for="epoch" id="shown">epoch \(last.epoch)</output>
      </div>
      """ : "<p class=\"note\">epoch \(last.epoch)</p>"
    let strip =
      sheets.count > 1
      ? """
      <figure class="strip">
      <h3>The same eight latents over the epochs</h3>
      <canvas id="strip" role="img" aria-label="Eight generated faces over the epochs"></canvas>
      <div id="strip-epochs"></div>
      </figure>
      """ : ""
    return """
      <section>
      <h2>Faces</h2>
      <p class="hint">Generated from the same 64 latents throughout. No photograph is shown.</p>
      <div class="faces" data-side="\(record.definition.side)">
      <figure class="sheet">
      <div class="sheets">\(pictures.joined())</div>
      \(slider)
      </figure>
      \(strip)
      </div>
      </section>
      """
  }

  // MARK: - Curves

  private var charts: String {
    guard history.step > 0 else {
      return """
        <section><h2>Curves</h2><p class="empty">No steps yet.</p></section>
        """
    }
    return """
      <section>
      <h2>Curves</h2>
      <p class="hint">By step. Lines are means of neighbouring steps; the shaded band spans their \
      lowest and highest values.</p>
      <div class="charts" id="charts"></div>
      <noscript><p class="empty">The curves need the script in this page, which was not allowed to \
      run.</p></noscript>
      </section>
      """
  }

  private var figures: String {
    let marks = history.timeline.filter { ["resume", "rollback", "diverged"].contains($0.event) }
      .suffix(50)
      .map { "{\"step\":\($0.step ?? 0),\"name\":\(scriptJSON($0.event))}" }
    let loss = record.definition.recipe.techniques.loss
    let perEpoch = history.stepsPerEpoch.map { "\($0)" } ?? "null"
    return "{\"charts\":[\(RunCharts(history, loss: loss).all.map(\.json).joined(separator: ","))]"
      + ",\"marks\":[\(marks.joined(separator: ","))],\"stepsPerEpoch\":\(perEpoch)"
      + ",\"last\":\(history.step)}"
  }

  // MARK: - Events and settings

  private var timeline: String {
    var rows = history.timeline.map { event in
      "<tr><td class=\"number\">\(event.step.map(groupedNumber) ?? "")</td>"
        + "<td><span class=\"event \(Self.kind(of: event))\">\(html: event.event)</span></td>"
        + "<td>\(Self.details(of: event))</td></tr>"
    }
    if history.omitted > 0 {
      rows.insert(
        "<tr><td></td><td></td><td>… \(groupedNumber(history.omitted)) events omitted</td></tr>",
        at: rows.count / 2)
    }
    let unreadable =
      history.unreadable == 0
      ? ""
      : "<p class=\"empty\">\(history.unreadable) unreadable lines of the log were skipped.</p>"
    return """
      <section>
      <h2>Events</h2>
      <div class="scroll"><table class="timeline">
      <thead><tr><th class="number">Step</th><th>Event</th><th></th></tr></thead>
      <tbody>\(rows.joined(separator: "\n"))</tbody>
      </table></div>
      \(unreadable)
      </section>
      """
  }

  private static func kind(of event: LogEvent) -> String {
    switch event.event {
    case "diverged": "bad"
    case "warning", "rollback": "warning"
    default: "plain"
    }
  }

  /// The sentences of an event, then its other values by name.
  private static func details(of event: LogEvent) -> String {
    let prose = ["message", "finding", "advice"]
    var parts = prose.compactMap { event.text($0).map { "\(html: sentence($0))" } }
    let values: [String] = event.fields.filter { $0.key != "schema" }.compactMap { field in
      let value: String
      switch field.value {
      case .text(let text):
        if prose.contains(field.key) { return nil }
        value = text
      case .integer(let number): value = shortNumber(Double(number), digits: 6)
      case .number(let number): value = shortNumber(number, digits: 6)
      case .flag(let flag): value = flag ? "yes" : "no"
      case .null: value = "not finite"
      case .other(let text): value = text
      }
      let name = field.key.replacing("_", with: " ")
      return "<span class=\"pair\"><b>\(html: name)</b> \(html: value)</span>"
    }
    parts += values
    return parts.joined(separator: " ")
  }

  private var settings: String {
    var configuration = record.definition.described
    configuration.append(("images used", "\(record.data.pictures)"))
    if let kept = record.data.heldOut { configuration.append(("images held out", "\(kept)")) }
    configuration.append(("images skipped", "\(record.data.skipped)"))
    // Only the folder's name: people share reports, and a full path reveals details of their
    // machine.
    let folder = record.data.folder.split(separator: "/").last.map(String.init) ?? ""
    configuration.append(("data folder", folder))
    let options = record.options
    let environment: [(String, String)] = [
      ("version", record.version), ("processor", record.processor),
      ("instruction set", options.kernels), ("threads", "\(options.threads)"),
      ("engine", options.engine), ("checkpoint every", "\(options.checkpointEvery)"),
      (
        "samples every",
        options.samplesEvery == 0 ? "never" : "\(Cadence.epochs(options.samplesEvery))"
      ),
      ("sample statistics", "\(options.sampleStatistics)"),
      (
        "quality every",
        options.qualityEvery.flatMap { $0 > 0 ? "\(Cadence.epochs($0))" : nil } ?? "never"
      ),
      ("on divergence", "\(options.onDivergence)"),
      ("step limit", options.maximumSteps.map { "\($0)" } ?? "none"),
      ("started", record.date),
    ]
    return """
      <section class="settings">
      <div><h2>Configuration</h2>\(Self.table(configuration))</div>
      <div><h2>Environment</h2>\(Self.table(environment))</div>
      </section>
      """
  }

  private static func table(_ rows: [(String, String)]) -> String {
    let rows = rows.map { "<tr><th>\(html: $0.0)</th><td>\(html: $0.1)</td></tr>" }
    return "<table>\(rows.joined())</table>"
  }

  private var footer: String {
    """
    <footer>Written \(html: time) by BollyGAN \(bollyganVersion), after step \
    \(groupedNumber(history.step)).</footer>
    """
  }
}
