import BollyGANCompute

/// Maps that a pass back leaves behind it, shared by both networks and their layers: they go back one
/// after the other, and half of a step's memory would lie idle otherwise.
final class FastScratch {
  private var framed: [(layout: MapLayout, buffer: FloatBuffer)] = []

  /// Maps within margins of zeros. Margins stay zeros where all who share them have the same layout, and
  /// every one of them fills the rest.
  func map(_ layout: MapLayout, images: Int) -> FloatBuffer {
    let count = images * layout.imageStride
    guard let place = framed.firstIndex(where: { $0.layout == layout }) else {
      framed.append((layout, FloatBuffer(count: count)))
      return framed[framed.count - 1].buffer
    }
    if framed[place].buffer.count < count { framed[place].buffer = FloatBuffer(count: count) }
    return framed[place].buffer
  }
}
