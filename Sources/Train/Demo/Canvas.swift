import BollyGANPictures

// A small painting library for the cartoon faces. It uses only +, −, ×, ÷ and square roots, whose
// rounding IEEE 754 defines, so a face has the same bytes on every processor and system.

/// A point or direction. x points right, y points down, and the image spans −1…1.
typealias Point = SIMD2<Float>

/// Red, green and blue, 0…1, as stored (not linear).
typealias Colour = SIMD3<Float>

extension Point {
  var length: Float { (self * self).sum().squareRoot() }

  func dot(_ other: Point) -> Float { (self * other).sum() }
}

extension Colour {
  /// 0xRRGGBB.
  init(hex: UInt32) {
    self = Colour(Float(hex >> 16 & 255), Float(hex >> 8 & 255), Float(hex & 255)) / 255
  }

  func mixed(with other: Colour, _ share: Float) -> Colour { self + (other - self) * share }
}

/// 0 below `low`, 1 above `high`, and smooth in between.
func smoothStep(_ low: Float, _ high: Float, _ x: Float) -> Float {
  let t = min(1, max(0, (x - low) / (high - low)))
  return t * t * (3 - 2 * t)
}

/// An approximation of a sine wave with period 1 and an error below 0.001.
func wave(_ turns: Float) -> Float {
  let t = turns - turns.rounded(.down)
  let x = t < 0.5 ? 4 * t - 1 : 3 - 4 * t  // −1…1…−1
  // An odd polynomial through 0 and 1 with slope 0 at 1.
  let y = x * (1.570_79 - x * x * (0.645_89 - x * x * 0.075_1))
  return min(1, max(-1, y))
}

/// A rotation, scaling and translation of what is painted.
struct Frame {
  /// Tangent of half the rotation angle, from which cosine and sine follow without a library call.
  var tangent: Float = 0
  var offset = Point(0, 0)
  var scale: Float = 1

  private var cosine: Float { (1 - tangent * tangent) / (1 + tangent * tangent) }
  private var sine: Float { 2 * tangent / (1 + tangent * tangent) }

  func toPicture(_ p: Point) -> Point {
    Point(cosine * p.x - sine * p.y, sine * p.x + cosine * p.y) * scale + offset
  }

  func fromPicture(_ p: Point) -> Point {
    let q = (p - offset) / scale
    return Point(cosine * q.x + sine * q.y, cosine * q.y - sine * q.x)
  }
}

/// A shape: a signed distance function, negative inside, and a bounding box.
struct Shape {
  var low: Point
  var high: Point
  var distance: (Point) -> Float

  /// An ellipse with its axes along x and y.
  static func ellipse(_ centre: Point, _ radii: Point) -> Shape {
    Shape(low: centre - radii, high: centre + radii) { p in
      let q = (p - centre) / radii
      let r = q.length
      // Exact on the edge and along the axes, and a good approximation elsewhere (Quilez).
      return r < 1e-4 ? -radii.min() : r * (r - 1) / (q / radii).length
    }
  }

  /// A line through the given points. Its half width runs evenly through `widths`.
  static func stroke(_ points: [Point], widths: [Float]) -> Shape {
    let widest = widths.max()!
    let low = points.reduce(points[0]) { pointwiseMin($0, $1) } - widest
    let high = points.reduce(points[0]) { pointwiseMax($0, $1) } + widest
    let last = Float(points.count - 1)
    return Shape(low: low, high: high) { p in
      var nearest = Float.infinity
      for i in 1..<points.count {
        let (a, b) = (points[i - 1], points[i])
        let along = b - a
        let t = min(1, max(0, (p - a).dot(along) / max(1e-9, along.dot(along))))
        let place = (Float(i - 1) + t) / last * Float(widths.count - 1)
        let k = min(widths.count - 2, Int(place))
        let width = widths[k] + (widths[k + 1] - widths[k]) * (place - Float(k))
        nearest = min(nearest, (p - a - along * t).length - width)
      }
      return nearest
    }
  }

  /// A stroke along the parabola through `from`, `over` (half way) and `to`.
  static func arc(
    from: Point, over: Point, to: Point, widths: [Float]
  ) -> Shape {
    let points = (0...10).map { i in
      let t = Float(i) / 10
      return from * ((1 - t) * (1 - 2 * t)) + over * (4 * t * (1 - t)) + to * (t * (2 * t - 1))
    }
    return stroke(points, widths: widths)
  }

  /// The intersection of both shapes.
  func cut(by other: Shape) -> Shape {
    Shape(low: pointwiseMax(low, other.low), high: pointwiseMin(high, other.high)) {
      [distance, clip = other.distance] in max(distance($0), clip($0))
    }
  }

  /// The part where `clip` is negative.
  func cut(_ clip: @escaping (Point) -> Float) -> Shape {
    Shape(low: low, high: high) { [distance] in max(distance($0), clip($0)) }
  }

  /// The union of both shapes.
  func joined(with other: Shape) -> Shape {
    Shape(low: pointwiseMin(low, other.low), high: pointwiseMax(high, other.high)) {
      [distance, more = other.distance] in min(distance($0), more($0))
    }
  }

  /// The shape enlarged by `amount` on all sides, or shrunk if it is negative.
  func grown(by amount: Float) -> Shape {
    Shape(low: low - amount, high: high + amount) { [distance] in distance($0) - amount }
  }

  /// A band along the edge.
  func outline(halfWidth: Float) -> Shape {
    Shape(low: low - halfWidth, high: high + halfWidth) { [distance] in
      abs(distance($0)) - halfWidth
    }
  }
}

/// Paints shapes with soft edges, with four samples per pixel.
struct Canvas {
  private static let samplesPerSide = 2

  let side: Int
  var frame = Frame()
  private var samples: [Colour]
  private var resolution: Int { side * Self.samplesPerSide }

  init(side: Int) {
    self.side = side
    samples = [Colour](
      repeating: Colour(0, 0, 0), count: side * side * Self.samplesPerSide * Self.samplesPerSide)
  }

  /// Colours the whole image, in image coordinates.
  mutating func fill(_ colour: (Point) -> Colour) {
    for y in 0..<resolution {
      for x in 0..<resolution { samples[y * resolution + x] = colour(place(x, y)) }
    }
  }

  /// Paints a shape with one colour.
  ///
  /// - Parameter blur: Width of the soft edge, in addition to that of a sample.
  mutating func paint(
    _ shape: Shape, _ colour: Colour, opacity: Float = 1, blur: Float = 0
  ) {
    paint(shape, opacity: opacity, blur: blur) { _, _ in colour }
  }

  /// Paints a shape with the colour that `shade` returns for each point and the colour below it.
  mutating func paint(
    _ shape: Shape, opacity: Float = 1, blur: Float = 0, shade: (Point, Colour) -> Colour
  ) {
    let corners = [
      shape.low, shape.high, Point(shape.low.x, shape.high.y), Point(shape.high.x, shape.low.y),
    ].map(frame.toPicture)
    let margin = Point(repeating: blur * frame.scale + 4 / Float(resolution))
    let low = index(corners.reduce(corners[0]) { pointwiseMin($0, $1) } - margin)
    let high = index(corners.reduce(corners[0]) { pointwiseMax($0, $1) } + margin)
    guard low.x <= high.x, low.y <= high.y else { return }
    // Half the width of the soft edge: a little more than half a sample, in the shape's own units.
    let softness = 1.4 / Float(resolution) / frame.scale + blur
    for y in low.y...high.y {
      for x in low.x...high.x {
        let p = frame.fromPicture(place(x, y))
        let cover = smoothStep(-softness, softness, -shape.distance(p)) * opacity
        if cover > 0 {
          let i = y * resolution + x
          samples[i] = samples[i].mixed(with: shade(p, samples[i]), cover)
        }
      }
    }
  }

  /// The image. Each pixel is the mean of its samples.
  var picture: Picture {
    var pixels: [UInt8] = []
    pixels.reserveCapacity(3 * side * side)
    let n = Self.samplesPerSide
    for y in 0..<side {
      for x in 0..<side {
        var sum = Colour(0, 0, 0)
        for dy in 0..<n {
          for dx in 0..<n { sum += samples[(y * n + dy) * resolution + x * n + dx] }
        }
        let mean = (sum * (255 / Float(n * n)) + 0.5).clamped(
          lowerBound: Colour(0, 0, 0), upperBound: Colour(255, 255, 255))
        for c in 0..<3 { pixels.append(UInt8(mean[c])) }
      }
    }
    return Picture(width: side, height: side, channels: 3, pixels: pixels)
  }

  private func place(_ x: Int, _ y: Int) -> Point {
    Point(Float(2 * x + 1), Float(2 * y + 1)) / Float(resolution) - 1
  }

  private func index(_ p: Point) -> SIMD2<Int> {
    let last = Float(resolution - 1)
    let i = ((p + 1) * (Float(resolution) / 2)).clamped(
      lowerBound: Point(-1, -1), upperBound: Point(last + 1, last + 1))
    return SIMD2(
      min(resolution - 1, max(0, Int(i.x.rounded(.down)))),
      min(resolution - 1, max(0, Int(i.y.rounded(.down)))))
  }
}
