import BollyGANCompute

extension FloatBuffer {
  /// The number at an index, checked to be within the buffer. Not for hot loops.
  subscript(index: Int) -> Float {
    get {
      precondition(index >= 0 && index < count, "index \(index) is outside of \(count) numbers")
      return unsafe base[index]
    }
    set {
      precondition(index >= 0 && index < count, "index \(index) is outside of \(count) numbers")
      unsafe base[index] = newValue
    }
  }
}
