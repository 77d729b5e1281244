"""The decoders' names, apart from their code, so that the command line can list them without torch."""

UPSAMPLINGS = (
    "none",
    "nearest",
    "bilinear",
    "max_unpool",
    "transposed",
    "resize_conv",
    "pixel_shuffle",
    "unet",
)
