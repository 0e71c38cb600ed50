import BollyGANCompute
import BollyGANKernels

// Gradients of kernels, from fast convolutions or direct products.

extension FastLoops {
  /// Pixels whose products are summed in registers before they join the gradient in memory.
  static let gradientDepth = 256

  /// Computes the gradient of a layer's kernel: the layer's input, correlated with the gradient of
  /// its output.
  ///
  /// - Parameters:
  ///   - input: maps with margin 1 that the layer read.
  ///   - outputGradient: gradient with respect to its output, with margin 1.
  ///   - accumulates: whether to add to the kernel's gradient instead of overwriting it.
  func weightGradient(
    _ layer: FastLayer, input: FloatBuffer, outputGradient: FloatBuffer, images: Int,
    accumulates: Bool
  ) {
    let (coarse, fine) =
      layer.direction == .up ? (input, outputGradient) : (outputGradient, input)
    let gradient = layer.kernel.gradient
    guard case .convolutions(_, let convolution) = layer.linear else {
      directWeightGradient(
        layer.link, coarse: coarse, fine: fine, images: images, into: gradient,
        accumulates: accumulates)
      return
    }
    reservePlanes(convolution.gradientFloats(kernels: kernels))
    let blocks = convolution.gradientBlocks(threads: workers.count, kernels: kernels)
    workers.run(blocks.count) { block, thread in
      unsafe convolution.gradient(
        blocks[block], coarse: coarse.base, coarseMargin: 1, fine: fine.base, images: images,
        into: gradient.base, accumulates: accumulates, room: planes[thread],
        scratch: scratch[thread], kernels: kernels)
    }
  }

  /// `gradient[c, u, v, d] = Σ coarse[i, j, c] · fine[2i + u − 1, 2j + v − 1, d]` over all pixels
  /// of all images, as a product of two matrices with a row for each pixel.
  private func directWeightGradient(
    _ link: StridedLink, coarse: FloatBuffer, fine: FloatBuffer, images: Int,
    into gradient: FloatBuffer, accumulates: Bool
  ) {
    let rows = Int(kernels.rows)
    let width = Int(kernels.columns)
    let coarseLayout = link.coarseLayout(margin: 1)
    let fineLayout = link.fineLayout(margin: 1)
    let pixels = images * coarseLayout.pixels
    let tiles = (link.coarseChannels + rows - 1) / rows
    if leftPanels.count < tiles * rows * pixels {
      leftPanels = FloatBuffer(count: tiles * rows * pixels)
    }
    let left = unsafe leftPanels.base
    let depth = Self.gradientDepth
    let slices = (pixels + depth - 1) / depth
    let coarseWalk = coarseLayout.walk()
    let fineWalk = link.fineWalk(fineLayout)

    // Coarse pixels as panels of `rows` channels, once for all columns.
    workers.run(slices) { slice, _ in
      let range = slice * depth..<min((slice + 1) * depth, pixels)
      unsafe withUnsafeTemporaryAllocation(of: Int.self, capacity: range.count) { offsets in
        unsafe coarseWalk.fill(offsets, from: range.lowerBound)
        for tile in 0..<tiles {
          unsafe bg_gather_panel(
            left + (tile * pixels + range.lowerBound) * rows, coarse.base, offsets.baseAddress,
            range.count, 1, coarseLayout.pixelStride, 0, tile * rows, rows)
        }
      }
    }

    let panels = (link.weightStride + width - 1) / width
    // Images have few channels, and so few panels. The coarse channels are then split between
    // threads.
    let groups = max(1, min(tiles, 4 * workers.count / panels))
    workers.run(panels * groups) { task, thread in
      let (panel, group) = task.quotientAndRemainder(dividingBy: groups)
      let column = panel * width
      let right = unsafe rightPanels[thread].base
      unsafe withUnsafeTemporaryAllocation(of: Int.self, capacity: depth) { offsets in
        unsafe withUnsafeTemporaryAllocation(
          of: UnsafeMutablePointer<Float>?.self, capacity: rows
        ) { targets in
          for slice in 0..<slices {
            let range = slice * depth..<min((slice + 1) * depth, pixels)
            let used = unsafe UnsafeMutableBufferPointer(rebasing: offsets[..<range.count])
            unsafe fineWalk.fill(used, from: range.lowerBound)
            unsafe bg_gather_panel(
              right, fine.base, used.baseAddress, range.count, 4, 4 * link.fineStride,
              fineLayout.rowStride, column, width)
            for tile in (tiles * group / groups)..<(tiles * (group + 1) / groups) {
              let first = tile * rows
              let count = min(rows, link.coarseChannels - first)
              for row in 0..<count {
                unsafe targets[row] = gradient.base + ((first + row) * link.weightStride + column)
              }
              var place = unsafe bg_tile(
                rows: UnsafePointer(targets.baseAddress!), count: count,
                columns: min(width, link.weightStride - column), bias: nil,
                accumulate: accumulates || slice > 0 ? 1 : 0, rectify: 0, slope: 0)
              unsafe kernels.multiply_panels(
                range.count, left + (tile * pixels + range.lowerBound) * rows, right, &place)
            }
          }
        }
      }
    }
  }
}
