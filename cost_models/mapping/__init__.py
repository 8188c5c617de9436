"""From operators to hardware: placement of weights on arrays, and the schedule of the program."""
