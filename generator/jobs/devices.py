"""What Cycles can render on."""

# cpu, and GPUs by the interface that Cycles reaches them through: NVIDIA (OptiX is the faster), AMD, Intel, Apple.
DEVICES = ("cpu", "cuda", "optix", "hip", "oneapi", "metal")
