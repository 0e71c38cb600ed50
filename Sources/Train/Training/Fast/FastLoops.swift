import BollyGANCompute
import BollyGANKernels
import BollyGANModel

/// The loops that both networks' passes are made of, on all threads.
///
/// Whatever is summed over a batch is summed in pieces whose bounds depend on the sizes alone, and
/// the pieces are added in order: the thread count changes nothing.
@safe final class FastLoops {
  let kernels: bg_kernels
  let workers: Workers
  private let soloists: [Workers]
  let multiplier: Multiplier
  private let rightPanels: [FloatBuffer]
  private var leftPanels = FloatBuffer(count: 0)
  private var scratch: [FloatBuffer]
  /// Each thread's transformed maps, of one layer at a time.
  private var rooms: [FloatBuffer] = []

  /// Pixels whose products are summed before a weight gradient goes back to memory.
  private static let gradientDepth = 256

  init(instructionSet: InstructionSet, threads: Int) {
    workers = Workers(count: threads)
    soloists = workers.soloists()
    multiplier = Multiplier(instructionSet: instructionSet, workers: workers)
    unsafe kernels = multiplier.kernels
    let columns = Int(unsafe kernels.columns)
    rightPanels = (0..<workers.count).map { _ in
      FloatBuffer(count: Self.gradientDepth * columns)
    }
    scratch = unsafe (0..<workers.count).map { [kernels] _ in
      unsafe FloatBuffer(count: UpConvolution.scratchFloats(kernels: kernels))
    }
  }

  /// What is done with some pictures of a batch before or after they go through a layer: by fast
  /// convolutions and to pictures just before or after, by the same thread and in its cache; through other
  /// layers before or after the whole batch.
  typealias Company = (_ images: Range<Int>) -> Void

  /// Pictures one by one, on all threads.
  func eachPicture(_ images: Int, _ body: Company?) {
    guard let body else { return }
    workers.run(images) { image, _ in body(image..<image + 1) }
  }

  // MARK: Up

  /// A layer's way up: from coarse maps with margin 1 to fine ones.
  ///
  /// - Parameters:
  ///   - margin: of the fine maps.
  ///   - precisely: sums in float64, see ``FastLayer/forwardsPrecisely``.
  ///   - before: makes the coarse maps of some pictures.
  ///   - after: looks at the fine ones.
  func up(
    _ layer: FastLayer, from coarse: FloatBuffer, to fine: FloatBuffer, margin: Int, images: Int,
    precisely: Bool = false, before: Company?, after: Company?
  ) {
    let link = layer.link
    guard let convolution = layer.upConvolution else {
      eachPicture(images, before)
      unsafe multiplier.run(
        link.up(layer.upPanels, from: coarse.base, to: fine.base, margin: margin),
        pixels: images * link.coarseSide * link.coarseSide, inFloat64: precisely)
      eachPicture(images, after)
      return
    }
    let (source, target) = (link.coarseLayout(margin: 1), link.fineLayout(margin: margin))
    eachSweep(of: layer, images: images) {
      unsafe convolution.planeFloats(images: $0, kernels: kernels)
    } body: { part, thread in
      before?(part)
      unsafe convolution.run(
        from: coarse.base + part.lowerBound * source.imageStride, source: source,
        to: fine.base + part.lowerBound * target.imageStride, target: target, images: part.count,
        planes: rooms[thread], scratch: [scratch[thread]], kernels: kernels,
        workers: soloists[thread])
      after?(part)
    }
  }

  /// A picture layer's way up: from coarse maps to pictures, both with margin 1.
  ///
  /// - Parameter before: makes the coarse maps of some pictures.
  func up(
    _ layer: FastLayer, from coarse: FloatBuffer, toPictures pictures: FloatBuffer, images: Int,
    tanh: Bool, before: Company?
  ) {
    let picture = layer.picture!
    let floats = unsafe picture.scratchFloats(kernels: kernels)
    if scratch[0].count < floats { scratch = scratch.map { _ in FloatBuffer(count: floats) } }
    // Fewer pictures than threads are cut, so they have to be there before.
    let isEach = images >= workers.count
    if !isEach { eachPicture(images, before) }
    unsafe picture.run(
      from: coarse, source: layer.link.coarseLayout(margin: 1),
      to: .map(pictures.base, layer.link.fineLayout(margin: 1), tanh: tanh),
      images: images, scratch: scratch, kernels: kernels, workers: workers,
      before: isEach ? before.map { before in { before($0..<$0 + 1) } } : nil)
  }

  /// Shares out a batch by sweeps of pictures, each of which one thread takes through by itself.
  private func eachSweep(
    of layer: FastLayer, images: Int, room: (Int) -> Int,
    body: (_ part: Range<Int>, _ thread: Int) -> Void
  ) {
    let even = (images + workers.count - 1) / workers.count
    let sweep = min(layer.downConvolution!.sweep, even)
    reserveRooms(room(sweep))
    workers.run((images + sweep - 1) / sweep) { task, thread in
      body(task * sweep..<min((task + 1) * sweep, images), thread)
    }
  }

  private func reserveRooms(_ floats: Int) {
    if rooms.isEmpty || rooms[0].count < floats {
      rooms = (0..<workers.count).map { _ in FloatBuffer(count: floats) }
    }
  }

  // MARK: Down

  /// A layer's way down: from fine maps with margin 1 to coarse ones.
  ///
  /// - Parameters:
  ///   - margin: of the coarse maps.
  ///   - precisely: sums in float64, see ``FastLayer/forwardsPrecisely``.
  ///   - before: makes the fine maps of some pictures.
  ///   - after: looks at the coarse ones.
  func down(
    _ layer: FastLayer, from fine: FloatBuffer, to coarse: FloatBuffer, margin: Int, images: Int,
    precisely: Bool = false, before: Company?, after: Company?
  ) {
    let link = layer.link
    guard let convolution = layer.downConvolution else {
      eachPicture(images, before)
      unsafe multiplier.run(
        [link.down(layer.downPanels!, from: fine.base, to: coarse.base, margin: margin)],
        pixels: images * link.coarseSide * link.coarseSide, inFloat64: precisely)
      eachPicture(images, after)
      return
    }
    let (source, target) = (link.fineLayout(margin: 1), link.coarseLayout(margin: margin))
    eachSweep(of: layer, images: images) {
      unsafe convolution.planeFloats(images: $0, kernels: kernels)
    } body: { part, thread in
      before?(part)
      unsafe convolution.run(
        from: fine.base + part.lowerBound * source.imageStride,
        to: coarse.base + part.lowerBound * target.imageStride, margin: margin,
        images: part.count, planes: rooms[thread], scratch: scratch[thread], kernels: kernels)
      after?(part)
    }
  }

  // MARK: Weight gradient

  /// The gradient of a layer's kernel from both its maps.
  ///
  /// - Parameters:
  ///   - coarseMargin: of the coarse map; the fine one has margin 1.
  ///   - accumulates: adds to what stands there.
  func weightGradient(
    _ layer: FastLayer, coarse: FloatBuffer, coarseMargin: Int, fine: FloatBuffer, images: Int,
    accumulates: Bool
  ) {
    guard let convolution = layer.downConvolution else {
      weightGradient(
        layer.link, coarse: coarse, coarseMargin: coarseMargin, fine: fine, images: images,
        into: layer.kernel.gradient, accumulates: accumulates)
      return
    }
    unsafe reserveRooms(convolution.gradientFloats(kernels: kernels))
    let blocks = unsafe convolution.gradientBlocks(threads: workers.count, kernels: kernels)
    workers.run(blocks.count) { block, thread in
      unsafe convolution.gradient(
        blocks[block], coarse: coarse.base, coarseMargin: coarseMargin, fine: fine.base,
        images: images, into: layer.kernel.gradient.base, accumulates: accumulates,
        room: rooms[thread], scratch: scratch[thread], kernels: kernels)
    }
  }

  /// `gradient[c, u, v, d] = Σ coarse[i, j, c] · fine[2i + u − 1, 2j + v − 1, d]` over all pixels of
  /// all images.
  ///
  /// - Parameters:
  ///   - coarseMargin: of the coarse map; the fine one has margin 1.
  ///   - accumulates: adds to what stands in `gradient`.
  private func weightGradient(
    _ link: StridedLink, coarse: FloatBuffer, coarseMargin: Int, fine: FloatBuffer, images: Int,
    into gradient: FloatBuffer, accumulates: Bool
  ) {
    let rows = Int(unsafe kernels.rows)
    let width = Int(unsafe kernels.columns)
    let coarseLayout = link.coarseLayout(margin: coarseMargin)
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
    // A picture's few columns make few panels: then the channels are shared out as well.
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

  // MARK: Pictures

  /// The way back through tanh: both maps of pictures have margin 1, the gradient is overwritten.
  func tanhBackward(
    pictures: FloatBuffer, gradient: FloatBuffer, layout: MapLayout, images: Int
  ) {
    workers.run(images) { image, _ in
      for row in 0..<layout.rows {
        let start = image * layout.imageStride + layout.origin + row * layout.rowStride
        unsafe kernels.tanh_gradient(
          layout.columns * layout.pixelStride, pictures.base + start, gradient.base + start,
          gradient.base + start)
      }
    }
  }

  // MARK: Parameters

  /// The sum of all numbers' squares; finite just where all of them are, for in float64 no square of
  /// a float32 overflows, nor does a sum of them.
  func sumOfSquares(_ buffer: FloatBuffer) -> Double {
    let slice = FastParameter.slice
    let count = (buffer.count + slice - 1) / slice
    let sums = UnsafeMutablePointer<Double>.allocate(capacity: max(count, 1))
    defer { unsafe sums.deallocate() }
    workers.run(count) { task, _ in
      let end = min(buffer.count, (task + 1) * slice)
      var lanes = SIMD8<Double>()
      var index = task * slice
      while index + 8 <= end {
        let place = unsafe UnsafeRawPointer(buffer.base + index)
        let values = SIMD8<Double>(unsafe place.loadUnaligned(as: SIMD8<Float>.self))
        lanes += values * values
        index += 8
      }
      while index < end {
        let value = unsafe Double(buffer.base[index])
        lanes[0] += value * value
        index += 1
      }
      unsafe sums[task] = lanes.sum()
    }
    return (0..<count).reduce(0) { unsafe $0 + sums[$1] }
  }

  /// One update of all numbers.
  ///
  /// - Returns: For each parameter, whether its weights and moments are all finite afterwards.
  func adam(_ parameters: [FastParameter], _ constants: bg_adam) -> [Bool] {
    let slice = FastParameter.slice
    let work = parameters.indices.flatMap { index in
      stride(from: 0, to: parameters[index].weight.count, by: slice).map { (index, $0) }
    }
    let found = workers.map(work.count) { task in
      let (index, start) = work[task]
      let parameter = parameters[index]
      var constants = constants
      return unsafe kernels.adam(
        min(slice, parameter.weight.count - start), parameter.gradient.base + start,
        parameter.first.base + start, parameter.second.base + start,
        parameter.weight.base + start, &constants) != 0
    }
    var areFinite = [Bool](repeating: true, count: parameters.count)
    for (task, isFinite) in found.enumerated() where !isFinite { areFinite[work[task].0] = false }
    return areFinite
  }
}
