/** Nothing but the frame. */
