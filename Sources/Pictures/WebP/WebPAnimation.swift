internal import BollyGANPictureShims

/// An animated WebP file in the making.
///
///     let animation = try WebPAnimation(width: 64, height: 64, millisecondsPerFrame: 40)
///     for frame in frames { try animation.add(frame) }
///     let file = try animation.finish()
@safe public final class WebPAnimation {
  /// What is kept of each frame.
  public enum Quality: Equatable, Sendable {
    /// Every sample.
    case lossless
    /// What VP8 keeps at 0…100.
    case lossy(Float)
    /// About a third of the lossless size; hardly a difference to be seen.
    public static let high = Quality.lossy(92)
  }

  /// Pixels in a row.
  public let width: Int
  /// Rows.
  public let height: Int
  private let encoder: OpaquePointer
  private var isFinished = false

  /// An animation without frames.
  ///
  /// - Parameters:
  ///   - width: in pixels, of every frame.
  ///   - height: in pixels, of every frame.
  ///   - millisecondsPerFrame: how long each frame stays; at least 1.
  ///   - loops: how often it is shown; 0 means for ever.
  ///   - quality: what may be lost of a frame.
  /// - Throws: ``PictureError/failed(_:_:)`` where a side is beyond 16,383, a number is out of
  ///   range or memory gives out.
  public init(
    width: Int, height: Int, millisecondsPerFrame: Int, loops: Int = 0,
    quality: Quality = .lossless
  ) throws(PictureError) {
    let quality: Float =
      switch quality {
      case .lossless: -1
      case .lossy(let value): min(100, max(0, value))
      }
    guard (1...16_383).contains(width), (1...16_383).contains(height),
      (1...0xff_ffff).contains(millisecondsPerFrame), (0...0xffff).contains(loops),
      let encoder = unsafe bg_webp_animation_new(
        UInt32(width), UInt32(height), Int32(millisecondsPerFrame), Int32(loops), quality)
    else {
      throw .failed(
        .webp,
        "no animation of \(width) x \(height) pixels, \(millisecondsPerFrame) ms a frame and "
          + "\(loops) loops can be begun")
    }
    unsafe self.encoder = encoder
    self.width = width
    self.height = height
  }

  deinit { unsafe bg_webp_animation_free(encoder) }

  /// Appends a frame; gray becomes RGB.
  ///
  /// - Precondition: it has the animation's size, and ``finish()`` has not been called.
  public func add(_ picture: Picture) throws(PictureError) {
    precondition(!isFinished, "the animation is finished")
    precondition(
      picture.width == width && picture.height == height,
      "a frame of \(picture.width) x \(picture.height) in an animation of \(width) x \(height)")
    let pixels = picture.converted(channels: 3).pixels
    var report = bg_report()
    let status = unsafe bg_webp_animation_add(encoder, pixels, pixels.count, &report)
    try check(status, report, .webp)
  }

  /// The file.
  ///
  /// - Throws: ``PictureError/failed(_:_:)`` where no frame was added or memory gives out.
  public func finish() throws(PictureError) -> [UInt8] {
    precondition(!isFinished, "the animation is finished")
    isFinished = true
    return try unsafe encoded(.webp) { buffer, report in
      unsafe bg_webp_animation_finish(encoder, &buffer, &report)
    }
  }
}
