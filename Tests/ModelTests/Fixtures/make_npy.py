"""Makes the .npy files that NPYTests.swift reads: python make_npy.py (in this folder).

Made with numpy 2.4.6.
"""

import numpy

values = numpy.array([[0.5, -1.25, 3.0], [1e-7, 65504.0, -0.1]])
numpy.save("f4.npy", values.astype("<f4"))
numpy.save("f8.npy", values.astype("<f8"))
numpy.save("f2.npy", values.astype("<f2"))
numpy.save("latents.npy", values.astype("<f4").reshape(2, 3, 1, 1))
numpy.save("vector.npy", numpy.arange(5, dtype="<f4"))
with open("version2.npy", "wb") as file:
    numpy.lib.format.write_array(file, values.astype("<f4"), version=(2, 0))
