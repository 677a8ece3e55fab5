// SPDX-License-Identifier: GPL-2.0-only
/* 7.1, 6.12.y: driver_override is in struct device. */
#include <linux/device.h>

int pvm_probe(struct device *dev);

int pvm_probe(struct device *dev)
{
	return dev->driver_override.name ? device_set_driver_override(dev, "") : 0;
}
