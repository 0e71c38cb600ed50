internal import BollyGANPictureShims

/// An encoder of animated WebP files.
///
///     let animation = try WebPAnimation(width: 64, height: 64, millisecondsPerFrame: 40)
///     for frame in frames { try animation.add(frame) }
///     let file = try animation.finish()
@safe public final class WebPAnimation {
  /// The compression of frames.
  public enum Quality: Equatable, Sendable {
    /// Lossless compression.
    case lossless
    /// Lossy compression by VP8 with a quality of 0…100.
    case lossy(Float)
    /// Lossy compression to about a third of the lossless size, with hardly a visible difference.
    public static let high = Quality.lossy(92)
  }

  /// The width in pixels.
  public let width: Int
  /// The height in pixels.
  public let height: Int
  private let encoder: OpaquePointer
  private var isFinished = false

  /// Starts an animation without frames.
  ///
  /// - Parameters:
  ///   - width: The width of every frame in pixels, 1 to 16,383.
  ///   - height: The height of every frame in pixels, 1 to 16,383.
  ///   - millisecondsPerFrame: How long each frame is shown, 1 to 16,777,215.
  ///   - loops: How many times the animation is shown, up to 65,535; 0 means for ever.
  ///   - quality: The compression of frames.
  /// - Throws: ``PictureError/failed(_:_:)`` if a number is out of range or memory runs out.
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
        "cannot start an animation of \(width) x \(height) pixels, \(millisecondsPerFrame) ms a "
          + "frame and \(loops) loops")
    }
    unsafe self.encoder = encoder
    self.width = width
    self.height = height
  }

  deinit { unsafe bg_webp_animation_free(encoder) }

  /// Appends a frame. Gray becomes RGB.
  ///
  /// - Precondition: The frame has the animation's size, and ``finish()`` has not been called.
  /// - Throws: ``PictureError/failed(_:_:)`` if memory runs out.
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

  /// Completes the file and returns it. Call this once.
  ///
  /// - Throws: ``PictureError/failed(_:_:)`` if there are no frames or memory runs out.
  public func finish() throws(PictureError) -> [UInt8] {
    precondition(!isFinished, "the animation is finished")
    isFinished = true
    return try unsafe encoded(.webp) { buffer, report in
      unsafe bg_webp_animation_finish(encoder, &buffer, &report)
    }
  }
}
