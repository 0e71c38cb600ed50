/// One of the three batches of images that the discriminator sees in a step.
///
/// Raw values are part of instance noise: they select a batch's random numbers.
package enum StepBatch: UInt64, CaseIterable, Sendable {
  /// Real images, in the discriminator's step.
  case real
  /// Generated images, in the discriminator's step.
  case fake
  /// Generated images, in the generator's step.
  case generator
}

/// One of the two networks, as an opponent in their game.
package enum Player: CaseIterable, Sendable {
  case discriminator
  case generator
}
