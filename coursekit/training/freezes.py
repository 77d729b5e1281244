"""What frozen features were trained for, by name; apart from the code, so that the command line needs no torch."""

FREEZES = ("none", "features", "classes", "random")
BOX_LOSS_NAMES = ("giou", "smooth_l1", "l2")
