// Painting a face on a canvas, from back to front.

extension CartoonFace {
  func draw(on canvas: inout Canvas) {
    drawBackground(&canvas)
    canvas.frame = frame
    drawBackHair(&canvas)
    drawBody(&canvas)
    drawEars(&canvas)
    drawHead(&canvas)
    drawBeard(&canvas)
    drawNose(&canvas)
    drawMouth(&canvas)
    drawMoustache(&canvas)
    for side: Float in [-1, 1] {
      drawEye(&canvas, side)
      drawBrow(&canvas, side)
    }
    drawFrontHair(&canvas)
    drawGlasses(&canvas)
  }

  // MARK: Geometry

  /// A point on the front of the face, which moves as the face turns.
  private func onFace(_ p: Point) -> Point {
    p + Point(turn.x * (1 - 0.5 * abs(p.x)), turn.y)
  }

  /// The head: two half ellipses that narrow at the jaw. Mixing x² + y² with √(x⁴ + y⁴) makes them
  /// squarer.
  private var head: Shape {
    let reach = Point(headWidth, max(crown, chin))
    return Shape(low: Point(-headWidth, -crown), high: Point(headWidth, chin)) { p in
      let height = p.y < 0 ? crown : chin
      let t = min(1.3, max(0, p.y / chin))
      let width = headWidth * (1 - jaw * t * t)
      let q = Point(p.x / width, p.y / height)
      let s = q * q
      let round = s.sum()
      let square = (s * s).sum().squareRoot()
      let r = (round + (square - round) * (p.y < 0 ? squareness * 0.6 : squareness)).squareRoot()
      if r < 1e-3 { return -reach.min() }
      return r * (r - 1) / (q / Point(width, height)).length
    }
  }

  /// The brightness of a point on the head; 1 is neutral.
  private func shading(_ p: Point) -> Float {
    let normal = Point(p.x / headWidth, p.y / (p.y < 0 ? crown : chin))
    let rounded = normal.dot(light)
    // It darkens fastest towards the edge that faces away from the light.
    let edge = smoothStep(0.55, 1.1, normal.length)
    return 1 + contrast * (0.55 * rounded - 0.25) - contrast * edge * max(0, 0.6 - rounded) * 0.7
  }

  private func lit(_ colour: Colour, _ brightness: Float) -> Colour {
    let tint = Colour(1 + warmth, 1, 1 - warmth)
    // Shadows on skin are slightly red.
    let shadow = Colour(1, 0.93, 0.9).mixed(with: Colour(1, 1, 1), min(1, max(0, brightness)))
    return colour * brightness * tint * shadow
  }

  private var darkSkin: Colour { skin * Colour(0.66, 0.54, 0.50) }

  /// The colour of hair, with shine and with strands along `across`.
  private func hairShade(_ p: Point, across: Float) -> Colour {
    let strands = 1 + 0.07 * wave(across * 6.3) + 0.05 * wave(across * 14.7 + p.y * 1.3)
    let place = Point(p.x / (headWidth + hairVolume), p.y / (crown + hairVolume))
    let gloss = place - light * 0.62
    let shine = 1 - smoothStep(0, 0.55, gloss.length)
    let brightness = strands * (0.92 + contrast * place.dot(light))
    return hairColour * brightness + Colour(0.20, 0.18, 0.16) * shine * (0.4 + contrast)
  }

  // MARK: Behind the head

  private func drawBackground(_ canvas: inout Canvas) {
    canvas.fill { p in
      let t = smoothStep(-1.3, 1.3, p.dot(backgroundDirection))
      let glow = 1 - smoothStep(0, 2.2, (p - light * 1.1).length)
      let ground = background.0.mixed(with: background.1, t)
      return ground * (0.86 + 0.25 * glow)
    }
    for disc in discs {
      let shape = Shape.ellipse(disc.centre, Point(repeating: disc.radius))
      canvas.paint(shape, opacity: 0.22, blur: 0.05) { _, below in
        below.mixed(with: Colour(1, 1, 1), 0.6)
      }
    }
  }

  private func drawBackHair(_ canvas: inout Canvas) {
    let width = headWidth + hairVolume
    var shape: Shape
    switch hair {
    case .bob, .fringe:
      shape = fall(to: 0.52, width: width + 0.02, spread: 0.04, wavy: 0)
    case .long: shape = fall(to: 1.3, width: width, spread: 0.06, wavy: 0)
    case .wavy: shape = fall(to: 1.2, width: width + 0.03, spread: 0.16, wavy: 0.035)
    case .afro:
      shape = curlRing(
        radius: 0.16, reach: Point(width + 0.16, crown + 0.16), centre: Point(0, -0.14))
    case .curly:
      shape = curlRing(
        radius: 0.11, reach: Point(width - 0.03, crown + 0.02), centre: Point(0, -0.1)
      )
      .cut { $0.y - 0.22 }
    case .bun:
      shape = .ellipse(Point(0.04 + turn.x, -crown - 0.16), Point(0.22, 0.19))
    default: return
    }
    canvas.paint(shape) { p, _ in hairShade(p, across: p.x) * 0.78 }
  }

  /// Hair that hangs beside the face down to `bottom`.
  private func fall(to bottom: Float, width: Float, spread: Float, wavy: Float) -> Shape {
    let top = -crown - hairVolume * 0.9
    return Shape(low: Point(-width - spread - 0.1, top), high: Point(width + spread + 0.1, bottom))
    {
      p in
      let down = max(0, p.y) / max(0.3, bottom)
      let reach = width + spread * down + wavy * wave(p.y * 2.6 + (p.x < 0 ? 0.3 : 0))
      if p.y < 0 {
        let q = Point(p.x / reach, p.y / top)
        let r = max(1e-3, q.length)
        return r * (r - 1) / (q / Point(reach, top)).length
      }
      // Rounded corners at the bottom.
      let corner: Float = 0.14
      let q = Point(abs(p.x) - reach + corner, p.y - bottom + corner)
      return pointwiseMax(q, Point(0, 0)).length + min(0, q.max()) - corner
    }
  }

  private func curlRing(radius: Float, reach: Point, centre: Point) -> Shape {
    let shapes = curls.map { curl in
      (centre: centre + curl.centre * (reach - radius * 0.8), radius: radius * curl.radius)
    }
    let core = Shape.ellipse(centre, reach - radius * 0.6)
    return Shape(low: centre - reach - radius, high: centre + reach + radius) { p in
      shapes.reduce(core.distance(p)) { min($0, (p - $1.centre).length - $1.radius) }
    }
  }

  private func drawBody(_ canvas: inout Canvas) {
    let neckWidth = headWidth * 0.52
    let neck = Shape.stroke(
      [Point(0, 0.3), Point(0, 0.95)], widths: [neckWidth, neckWidth * 1.05])
    let shadowEnd = chin + 0.16
    canvas.paint(neck) { p, _ in
      let shadow = 1 - smoothStep(chin - 0.05, shadowEnd, p.y - light.x * p.x * 0.3)
      return lit(skin, 0.93 + contrast * light.x * p.x - (0.18 + 0.4 * contrast) * shadow)
    }
    let shoulders = Shape.ellipse(Point(0, 1.5), Point(1.05, 0.66))
    let neckline: (Point) -> Float =
      switch clothes {
      case .round: { p in 0.30 - (p - Point(0, 0.74)).length }
      case .vee: { p in (1.14 - p.y) * 0.5 - abs(p.x) * 0.9 }
      case .collar: { p in (1.04 - p.y) * 0.6 - abs(p.x) * 0.8 }
      case .high: { _ in -1 }
      }
    let cloth: (Point, Float) -> Colour = { p, brightness in
      clothColour * (brightness + contrast * light.x * p.x * 0.6 - 0.08 * wave(p.x * 1.7 + 0.1))
    }
    if clothes == .high {
      let collar = Shape.stroke(
        [Point(0, 0.86), Point(0, 1.1)], widths: [neckWidth + 0.05, neckWidth + 0.09]
      )
      .cut { 0.80 + 0.08 * abs($0.x) - $0.y }
      canvas.paint(collar) { p, _ in cloth(p, 0.82) }
    }
    canvas.paint(shoulders.cut(neckline)) { p, _ in cloth(p, 1) }
    if clothes == .collar {
      for side: Float in [-1, 1] {
        let flap = Shape.stroke(
          [Point(side * 0.36, 0.86), Point(side * 0.1, 1.06)], widths: [0.05, 0.11])
        canvas.paint(flap) { p, _ in cloth(p, 1.12) }
      }
    }
  }

  private func drawEars(_ canvas: inout Canvas) {
    for side: Float in [-1, 1] {
      // The ear on the side to which the face turns is hidden behind it.
      let out = headWidth - 0.01 - max(0, side * turn.x) * 0.5
      let centre = Point(side * out - turn.x * 0.3, 0.08)
      let ear = Shape.ellipse(centre, Point(0.085, 0.14))
      canvas.paint(ear) { p, _ in lit(skin, shading(Point(side * headWidth * 0.7, p.y)) - 0.05) }
      canvas.paint(
        .ellipse(centre + Point(side * 0.01, 0.0), Point(0.04, 0.085)), darkSkin, opacity: 0.4,
        blur: 0.02)
      if earrings {
        let drop = centre + Point(side * 0.02, 0.175)
        canvas.paint(.ellipse(drop, Point(0.035, 0.04)), Colour(hex: 0xd9b64a))
        canvas.paint(.ellipse(drop + light * 0.012, Point(0.012, 0.012)), Colour(hex: 0xfff3c4))
      }
    }
  }

  // MARK: The head and its features

  private func drawHead(_ canvas: inout Canvas) {
    canvas.paint(head) { p, _ in lit(skin, shading(p)) }
    // Cheeks, eye sockets, and the light on the forehead.
    for side: Float in [-1, 1] {
      let cheek = onFace(Point(side * 0.31, 0.22))
      canvas.paint(
        Shape.ellipse(cheek, Point(0.13, 0.10)).cut(by: head), opacity: blush, blur: 0.09
      ) { _, below in below.mixed(with: Colour(0.86, 0.36, 0.34), 0.55) }
      let hollow = onFace(Point(side * eyeGap, eyeHeight - 0.02))
      canvas.paint(.ellipse(hollow, Point(0.15, 0.09)), darkSkin, opacity: 0.16, blur: 0.07)
    }
    let glow = onFace(Point(light.x * 0.2, -0.26))
    canvas.paint(.ellipse(glow, Point(0.22, 0.12)), opacity: contrast, blur: 0.12) { _, below in
      below + Colour(0.16, 0.14, 0.12)
    }
    for spot in freckles {
      canvas.paint(.ellipse(onFace(spot), Point(0.011, 0.010)), darkSkin, opacity: 0.45)
    }
    if let mole {
      canvas.paint(.ellipse(onFace(mole), Point(0.017, 0.016)), darkSkin * 0.55)
    }
  }

  private func drawEye(_ canvas: inout Canvas, _ side: Float) {
    // The eye on the far side is narrower.
    let size = eyeSize * Point(1 - 0.9 * side * turn.x, 1)
    let centre = onFace(Point(side * eyeGap, eyeHeight))
    // A lens: the intersection of two circles.
    let bulge = (size.x * size.x + size.y * size.y) / (2 * size.y)
    let slant = eyeTilt * side
    let level: (Point) -> Point = { p in
      let q = p - centre
      return Point(q.x, q.y - slant * q.x)
    }
    let upper: (Point) -> Float = { (level($0) - Point(0, bulge - size.y)).length - bulge }
    let lower: (Point) -> Float = { (level($0) + Point(0, bulge - size.y)).length - bulge }
    let reach = Point(size.x + 0.02, size.y + 0.03)
    let lens = Shape(low: centre - reach, high: centre + reach) { max(upper($0), lower($0)) }

    canvas.paint(lens) { p, _ in
      let q = level(p)
      let shadow = smoothStep(-size.y, size.y * 0.3, q.y)
      return Colour(0.93, 0.92, 0.90) * (0.68 + 0.32 * shadow)
        * (1 - 0.25 * smoothStep(0.5, 1, abs(q.x) / size.x))
    }
    let pupil = centre + Point(gaze.x * size.x, gaze.y * size.y - size.y * 0.06)
    let radius = size.y * 0.98
    let iris = Shape.ellipse(pupil, Point(repeating: radius))
    canvas.paint(iris.cut(by: lens)) { p, _ in
      let q = (p - pupil) / radius
      let rim = smoothStep(0.6, 1, q.length)
      return irisColour * (1.05 + 0.5 * max(0, q.y) - 0.55 * rim - 0.3 * smoothStep(0.2, -0.9, q.y))
    }
    canvas.paint(
      Shape.ellipse(pupil, Point(repeating: radius * 0.47)).cut(by: lens), Colour(0.03, 0.02, 0.02))
    let spark = pupil + light * radius * 0.42
    canvas.paint(.ellipse(spark, Point(repeating: radius * 0.2)), Colour(1, 1, 1), opacity: 0.95)

    let inner = centre + Point(-side * size.x, -side * slant * size.x)
    let outer = centre + Point(side * size.x, side * slant * size.x)
    let lidTop = centre - Point(0, size.y)
    let line = darkSkin * 0.38
    let weight = 0.008 + 0.008 * min(1, lashes)
    canvas.paint(
      .arc(
        from: inner, over: lidTop, to: outer + Point(side * 0.012, -0.008) * lashes,
        widths: [weight * 0.6, weight, weight * 1.25]),
      line, opacity: 0.95)
    if lashes > 0.45 {
      let tip = outer + Point(side * 0.045, -0.035) * min(1.2, lashes)
      canvas.paint(
        .stroke([outer - Point(side * 0.02, 0.006), tip], widths: [weight * 1.1, 0.002]), line)
    }
    // The crease of the lid and the line below the eye.
    canvas.paint(
      .arc(
        from: inner - Point(0, 0.03), over: lidTop - Point(0, 0.030), to: outer - Point(0, 0.022),
        widths: [0.003, 0.006, 0.003]),
      darkSkin, opacity: 0.5)
    canvas.paint(
      .arc(
        from: inner + Point(side * 0.02, 0.01), over: centre + Point(0, size.y + 0.004), to: outer,
        widths: [0.002, 0.005, 0.004]),
      darkSkin, opacity: 0.55)
  }

  private func drawBrow(_ canvas: inout Canvas, _ side: Float) {
    let height = eyeHeight - browLift
    let inner = onFace(Point(side * (eyeGap - 0.125), height + 0.012))
    let outer = onFace(Point(side * (eyeGap + 0.145), height + 0.022 + eyeTilt * 0.15))
    let middle = onFace(Point(side * (eyeGap + 0.02), height - browArch))
    // Even with fair or white hair the brows must be visible.
    let colour = hairColour.mixed(with: darkSkin, 0.3) * 0.8
    canvas.paint(
      .arc(
        from: inner, over: middle, to: outer,
        widths: [browWidth * 0.85, browWidth, browWidth * 0.35]),
      colour, opacity: 0.9, blur: 0.008)
  }

  private func drawNose(_ canvas: inout Canvas) {
    let tip = onFace(Point(0, eyeHeight + noseSize.y)) + Point(turn.x * 0.45, turn.y * 0.5)
    let bridge = onFace(Point(0, eyeHeight + 0.01))
    let width = noseSize.x
    // The side away from the light is in shadow.
    let dark: Float = light.x > 0 ? -1 : 1
    let strength = 0.22 + contrast
    let flank = [
      bridge + Point(dark * 0.045, -0.02), Point(bridge.x + dark * 0.04, (bridge.y + tip.y) / 2),
      tip + Point(dark * width * 0.8, -0.01),
    ]
    canvas.paint(
      .arc(from: flank[0], over: flank[1], to: flank[2], widths: [0.02, 0.022, 0.035]), darkSkin,
      opacity: strength * 0.75, blur: 0.035)
    canvas.paint(
      .ellipse(tip + Point(0, 0.028), Point(width * 0.9, 0.022)), darkSkin, opacity: strength,
      blur: 0.025)
    canvas.paint(
      .ellipse(tip - Point(dark * 0.015, 0.02), Point(0.03, 0.03)), opacity: 0.4, blur: 0.03
    ) { _, below in
      below + Colour(0.14, 0.13, 0.12)
    }
    let line = darkSkin * 0.62
    switch nose {
    case .side:
      canvas.paint(
        .arc(
          from: tip + Point(dark * width * 0.9, -0.03),
          over: tip + Point(dark * width * 0.95, 0.015), to: tip + Point(dark * width * 0.3, 0.03),
          widths: [0.004, 0.009, 0.006]),
        line, opacity: 0.8)
    case .button:
      canvas.paint(
        .arc(
          from: tip + Point(-width * 0.6, 0.012), over: tip + Point(0, 0.045),
          to: tip + Point(width * 0.6, 0.012), widths: [0.003, 0.009, 0.003]),
        line, opacity: 0.75)
    case .broad:
      for side: Float in [-1, 1] {
        canvas.paint(
          .arc(
            from: tip + Point(side * width * 1.0, -0.035),
            over: tip + Point(side * width * 1.25, 0.0),
            to: tip + Point(side * width * 0.85, 0.025), widths: [0.003, 0.008, 0.004]),
          line, opacity: 0.6)
      }
    }
    for side: Float in [-1, 1] {
      canvas.paint(
        .ellipse(tip + Point(side * width * 0.5, 0.024), Point(0.022, 0.010)), line * 0.7,
        opacity: 0.75)
    }
  }

  private func drawMouth(_ canvas: inout Canvas) {
    let middle = onFace(Point(0, mouthHeight)) + Point(turn.x * 0.2, 0)
    let left = middle + Point(-mouthWidth, -smile)
    let right = middle + Point(mouthWidth, -smile)
    let low = middle + Point(0, smile * 0.55)
    let line = lipColour * Colour(0.5, 0.40, 0.42)
    let full = lipFullness
    // The shadow below the lower lip.
    canvas.paint(
      .ellipse(low + Point(0, full * 2.2 + 0.035), Point(mouthWidth * 0.5, 0.022)), darkSkin,
      opacity: 0.22 + contrast * 0.4, blur: 0.03)
    if mouth == .open {
      let drop = 0.055 + max(0, smile) * 0.7
      let top: (Point) -> Float = { p in
        let t = (p.x - middle.x) / mouthWidth
        return low.y - 0.008 - (smile * 1.2 + 0.006) * t * t - p.y
      }
      let bottom: (Point) -> Float = { p in
        let t = (p.x - middle.x) / mouthWidth
        return p.y - (low.y + drop - (smile * 1.2 + drop) * t * t)
      }
      let reach = Point(mouthWidth + 0.02, 0.2)
      let gap = Shape(low: low - reach, high: low + reach) { max(top($0), bottom($0)) * 0.9 }
      canvas.paint(gap.grown(by: full * 0.75)) { p, _ in
        lipColour * (p.y < low.y + drop * 0.3 ? 0.88 : 1.05)
      }
      canvas.paint(gap, Colour(0.28, 0.07, 0.08))
      canvas.paint(gap.cut { $0.y - low.y - drop * 0.52 }, Colour(0.95, 0.94, 0.91))
      canvas.paint(
        Shape.ellipse(low + Point(0, drop * 1.05), Point(mouthWidth * 0.45, drop * 0.35)).cut(
          by: gap),
        Colour(0.78, 0.36, 0.38))
      return
    }
    // The lower lip, the upper lip with its bow, then the line between them.
    canvas.paint(
      .arc(
        from: left + Point(0.02, full * 0.3), over: low + Point(0, full * 0.95),
        to: right + Point(-0.02, full * 0.3), widths: [full * 0.3, full * 1.15, full * 0.3])
    ) { p, _ in lipColour * (1.03 + contrast * light.x * (p.x - middle.x)) }
    for side: Float in [-1, 1] {
      let corner = side < 0 ? left : right
      let bow = low + Point(side * 0.035, -full * 0.95)
      canvas.paint(
        .arc(
          from: corner, over: (corner + bow) / 2 - Point(0, full * 0.25 - smile * 0.1),
          to: low + Point(side * 0.01, -full * 0.45), widths: [0.004, full * 0.6, full * 0.62]),
        lipColour * 0.86)
    }
    canvas.paint(
      .ellipse(low + Point(light.x * 0.02, full * 1.05), Point(mouthWidth * 0.25, full * 0.35)),
      opacity: 0.35, blur: 0.015
    ) { _, below in
      below + Colour(0.22, 0.18, 0.18)
    }
    canvas.paint(.arc(from: left, over: low, to: right, widths: [0.007, 0.010, 0.007]), line)
    if mouth == .smile {
      for side: Float in [-1, 1] {
        let corner = side < 0 ? left : right
        canvas.paint(
          .arc(
            from: corner + Point(side * 0.02, -0.03), over: corner + Point(side * 0.032, -0.0),
            to: corner + Point(side * 0.02, 0.03), widths: [0.003, 0.007, 0.003]),
          darkSkin, opacity: 0.6)
      }
    }
  }

  private func drawBeard(_ canvas: inout Canvas) {
    guard beard == .full || beard == .stubble || beard == .goatee else { return }
    let middle = onFace(Point(0, mouthHeight))
    let jawline: (Point) -> Float =
      beard == .goatee
      ? { p in
        let q = (p - Point(middle.x, mouthHeight + 0.12)) / Point(0.2, 0.24)
        return (q.length - 1) * 0.2
      }
      : { p in
        // From the ear down the cheek and over the upper lip.
        let t = min(1, abs(p.x - middle.x * 0.6) / headWidth)
        return middle.y - 0.115 + 0.10 * wave(t * 0.5) - 0.42 * t * t * t - p.y
      }
    let shape = head.grown(by: beard == .full ? 0.035 : 0).cut(jawline)
    let colour = hairColour.mixed(with: darkSkin * 0.6, beard == .stubble ? 0.45 : 0.1)
    canvas.paint(
      shape, opacity: beard == .stubble ? 0.38 : 0.94, blur: beard == .stubble ? 0.05 : 0.018
    ) { p, _ in
      colour * (shading(p) + 0.06 * wave(p.x * 7.1 + p.y * 2) + 0.05 * wave(p.x * 13.3 - p.y * 4))
    }
  }

  private func drawMoustache(_ canvas: inout Canvas) {
    guard beard == .moustache || beard == .goatee || beard == .full else { return }
    let middle = onFace(Point(0, mouthHeight)) + Point(turn.x * 0.2, -0.055)
    let colour = hairColour.mixed(with: darkSkin * 0.6, 0.1)
    for side: Float in [-1, 1] {
      let shape = Shape.arc(
        from: middle + Point(side * 0.005, 0), over: middle + Point(side * mouthWidth * 0.55, 0.0),
        to: middle + Point(side * mouthWidth * 1.02, 0.055), widths: [0.026, 0.034, 0.010])
      canvas.paint(shape, opacity: 0.95, blur: 0.012) { p, _ in
        colour * (0.95 + 0.08 * wave(p.x * 9) + contrast * light.x * p.x)
      }
    }
  }

  // MARK: In front

  private func drawFrontHair(_ canvas: inout Canvas) {
    guard hair != .bald else { return }
    let skull = head
    let thickness = hair == .buzzed ? 0.008 : hairVolume * 0.55
    let hangs = [.bob, .fringe, .long, .wavy].contains(hair)
    // Short hair is close to the head beside the ears.
    let cap = Shape(low: skull.low - thickness, high: skull.high + thickness) { p in
      skull.distance(p) - thickness * (hangs ? 1 : 1 - 0.9 * smoothStep(-0.34, 0.06, p.y))
    }
    // The hairline above the face.
    let line: (Float) -> Float
    switch hair {
    case .bald, .buzzed: line = { x in hairline - 0.02 + 0.75 * x * x }
    case .short: line = { x in hairline + 0.02 * wave(x * 5) + 0.9 * x * x * x * x + 0.35 * x * x }
    case .sidePart, .bob:
      line = { x in
        let t = x - parting
        return hairline - 0.10 + 0.28 * abs(t) + 0.55 * t * t
      }
    case .quiff: line = { x in hairline - 0.04 + 0.03 * wave(x * 3.1 + 0.2) + 0.6 * x * x }
    case .curly, .afro: line = { x in hairline + 0.045 * wave(x * 4.3 + 0.1) + 0.45 * x * x }
    case .long, .wavy:
      line = { x in
        let t = x - parting * 0.6
        return hairline - 0.14 + 0.45 * abs(t) + 0.75 * t * t
      }
    case .bun: line = { x in hairline - 0.06 + 0.7 * x * x }
    case .fringe: line = { x in eyeHeight - browLift - 0.02 + 0.02 * wave(x * 7.3) + 0.22 * x * x }
    }
    // The height at which hair ends beside the face.
    let ends: Float =
      switch hair {
      case .bob, .fringe: 0.48
      case .long, .wavy: 0.62
      case .buzzed: 0.02
      case .afro: 0.1
      default: 0.06
      }
    let strands: (Point) -> Float = { p in
      switch hair {
      case .sidePart, .bob, .long, .wavy:
        return (p.x - parting * 0.7) / (1.15 + 0.6 * (p.y + crown))
          + (hair == .wavy ? 0.03 * wave(p.y * 2.4) : 0)
      case .quiff: return p.x + 0.5 * p.y
      case .curly, .afro: return 0.12 * wave(p.x * 3.7) + 0.12 * wave(p.y * 4.1)
      default: return p.x / (1.2 + 0.8 * (p.y + crown))
      }
    }
    let shape = cap.cut { p in
      let q = p - Point(turn.x, turn.y)
      let above = (q.y - line(q.x)) * 0.75
      // Locks beside the face stay at its edge.
      let share = hangs ? 0.86 : 0.80 + 0.17 * smoothStep(-0.4, 0.02, p.y)
      let beside = headWidth * share - abs(p.x + turn.x * 0.4)
      return max(min(above, beside), p.y - ends)
    }
    // First its shadow on the forehead.
    canvas.paint(
      shape.grown(by: 0.018).cut(by: head), darkSkin, opacity: hair == .buzzed ? 0.12 : 0.3,
      blur: 0.03)
    let opacity: Float = hair == .buzzed ? 0.72 : 1
    canvas.paint(shape, opacity: opacity, blur: hair == .buzzed ? 0.03 : 0.004) { p, _ in
      hairShade(p, across: strands(p))
    }
    if hair == .quiff || hair == .curly {
      drawTop(&canvas, strands)
    }
  }

  /// The volume above the forehead.
  private func drawTop(_ canvas: inout Canvas, _ strands: (Point) -> Float) {
    if hair == .quiff {
      let lean: Float = parting < 0 ? -1 : 1
      let shape = Shape.arc(
        from: Point(-lean * 0.36, hairline - 0.1), over: Point(lean * 0.02, -crown - 0.05),
        to: Point(lean * 0.40, hairline - 0.13), widths: [0.10, 0.15 + hairVolume * 0.3, 0.09])
      canvas.paint(shape) { p, _ in hairShade(p, across: strands(p)) * 1.04 }
      return
    }
    let ring = curls.filter { $0.centre.y < -0.25 }
    for curl in ring {
      let centre =
        Point(curl.centre.x * (headWidth - 0.06), -0.12 + curl.centre.y * (crown - 0.16)) + turn
      let shape = Shape.ellipse(centre, Point(repeating: 0.105 * curl.radius))
      canvas.paint(shape) { p, _ in
        let q = (p - centre) / 0.1
        return hairShade(p, across: strands(p)) * (1 + 0.16 * q.dot(light))
      }
    }
  }

  private func drawGlasses(_ canvas: inout Canvas) {
    guard glasses != .none else { return }
    let metal = glasses == .round
    let thickness: Float = metal ? 0.012 : 0.020
    for side: Float in [-1, 1] {
      let centre = onFace(Point(side * (eyeGap + 0.005), eyeHeight + 0.02))
      let size =
        (metal ? Point(0.165, 0.155) : Point(0.185, glasses == .dark ? 0.15 : 0.125))
        * Point(1 - 0.6 * side * turn.x, 1)
      let lens: Shape =
        metal
        ? .ellipse(centre, size)
        : Shape(low: centre - size, high: centre + size) { p in
          let q = p - centre
          let corner: Float = 0.06
          let down = 1 - 0.12 * smoothStep(-size.y, size.y, q.y)
          let d = Point(abs(q.x) - size.x * down + corner, abs(q.y) - size.y + corner)
          return pointwiseMax(d, Point(0, 0)).length + min(0, d.max()) - corner
        }
      if glasses == .dark {
        canvas.paint(lens, opacity: 0.93) { p, _ in
          Colour(0.09, 0.09, 0.11) + Colour(0.20, 0.19, 0.20)
            * smoothStep(-size.y, size.y * 1.4, p.y - centre.y)
        }
      } else {
        canvas.paint(lens, Colour(1, 1, 1), opacity: 0.07)
      }
      let glint = Shape.stroke(
        [centre + Point(-0.09, 0.05), centre + Point(0.0, -0.09)], widths: [0.014, 0.022])
      canvas.paint(glint.cut(by: lens), Colour(1, 1, 1), opacity: glasses == .dark ? 0.22 : 0.26)
      canvas.paint(lens.outline(halfWidth: thickness)) { p, _ in
        frameColour * (1 + 0.5 * contrast * (p - centre).dot(light) / size.x)
      }
      let hinge = centre + Point(side * size.x, -size.y * 0.35)
      let ear = Point(side * (headWidth - 0.015) - turn.x * 0.3, 0.0)
      if hinge.x * side < ear.x * side {
        canvas.paint(.stroke([hinge, ear], widths: [thickness, thickness]), frameColour * 0.9)
      }
    }
    let reach = eyeGap - (metal ? 0.155 : 0.175)
    let height = eyeHeight - 0.005
    canvas.paint(
      .arc(
        from: onFace(Point(-reach, height)), over: onFace(Point(0, height - 0.025)),
        to: onFace(Point(reach, height)), widths: [thickness, thickness]),
      frameColour)
  }
}
