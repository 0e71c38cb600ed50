import BollyGANCompute

/// Maps for gradients, shared by both networks and all their layers.
///
/// The networks go backward one after the other, so gradients of equal layout can share memory.
/// Otherwise half of a step's memory would be idle.
final class FastScratch {
  private var shared: [(layout: MapLayout, buffer: FloatBuffer)] = []

  /// Returns maps of `layout` for at least `images` images. Their margins are zeros, and stay so:
  /// all users of a buffer have the same layout, and write inside the margins only.
  func map(_ layout: MapLayout, images: Int) -> FloatBuffer {
    let count = images * layout.imageStride
    guard let place = shared.firstIndex(where: { $0.layout == layout }) else {
      let buffer = FloatBuffer(count: count)
      shared.append((layout, buffer))
      return buffer
    }
    if shared[place].buffer.count < count { shared[place].buffer = FloatBuffer(count: count) }
    return shared[place].buffer
  }
}
