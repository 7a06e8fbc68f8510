"""Operating a stack: what Pulumi, kubectl and the image engines are told, and what they answer."""
