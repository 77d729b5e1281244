"""Names of what frozen features learned, and of box losses: the command line lists them without torch."""

FREEZES = ("none", "features", "classes", "random")
BOX_LOSS_NAMES = ("giou", "smooth_l1", "l2")
