package image

import "github.com/nbr-dev/nbr/verify/state"

// Firmware is what a BL2 and a FIP say, as a router's state has it. Without a BL2
// there is nothing to say; a FIP may be missing.
func Firmware(bl2 *BL2, fip *FIP) *state.Firmware {
	if bl2 == nil {
		return nil
	}
	f := &state.Firmware{
		Medium: bl2.Medium, Intact: bl2.Intact, TFA: bl2.TFA,
		FourBG: bl2.FourBG, FourBGWhy: bl2.FourBGWhy,
		SoC: bl2.SoC, DDR: bl2.Memory.DDR, DDRLimit: bl2.Memory.Limit,
	}
	if fip != nil {
		f.UBoot, f.UBootHash = fip.UBoot, fip.UBootHash
	}
	return f
}
