export { zipSync, strToU8 } from "fflate";
