import BollyGANModel

// Checks of a graph's names, and an order in which its nodes can be computed.

extension ONNXModel.Graph {
  /// Checks that names fit together, and returns an order in which the nodes can be computed.
  ///
  /// Every name must be defined once (an input may share its name with an initializer, its
  /// default), every use must have a definition, every output must be produced, and no value may
  /// depend on itself. The file may list nodes in any order.
  ///
  /// - Throws: ``ONNXError/graph(reason:)``, ``ONNXError/node(name:operatorType:reason:)``.
  /// - Complexity: linear in nodes and their inputs.
  func computationOrder() throws(ONNXError) -> [Int] {
    var given: Set<String> = []
    for tensor in initializers {
      guard !tensor.name.isEmpty else {
        throw .graph(reason: "an initializer has no name")
      }
      guard given.insert(tensor.name).inserted else {
        throw .graph(reason: "initializer \(quoted(tensor.name)) occurs twice in the file")
      }
    }
    var inputNames: Set<String> = []
    for input in inputs {
      guard inputNames.insert(input.name).inserted else {
        throw .graph(reason: "input \(quoted(input.name)) occurs twice in the file")
      }
    }
    given.formUnion(inputNames)

    var producer: [String: Int] = [:]
    for (index, node) in nodes.enumerated() {
      for output in node.outputs where !output.isEmpty {
        guard !given.contains(output), producer.updateValue(index, forKey: output) == nil else {
          throw node.error("defines \(quoted(output)), which is already defined elsewhere")
        }
      }
    }
    // Kahn's algorithm: a node is ready once all its inputs are computed.
    var waiting = [Int](repeating: 0, count: nodes.count)
    var users = [[Int]](repeating: [], count: nodes.count)
    for (index, node) in nodes.enumerated() {
      for input in node.inputs where !input.isEmpty && !given.contains(input) {
        guard let source = producer[input] else {
          throw node.error("uses \(quoted(input)), which nothing defines")
        }
        waiting[index] += 1
        users[source].append(index)
      }
    }
    var order = nodes.indices.filter { waiting[$0] == 0 }
    var next = 0
    while next < order.count {
      for user in users[order[next]] {
        waiting[user] -= 1
        if waiting[user] == 0 { order.append(user) }
      }
      next += 1
    }
    guard order.count == nodes.count else {
      let stuck = nodes[waiting.firstIndex { $0 > 0 }!]
      throw stuck.error("needs a value that depends on itself")
    }
    for output in outputs where producer[output.name] == nil && !given.contains(output.name) {
      throw .graph(reason: "no node produces output \(quoted(output.name))")
    }
    return order
  }
}
