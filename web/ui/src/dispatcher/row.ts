// Heights of the rows of long lists: all alike, so that a place is a product.
export const ROW_REM = { order: 4.75, courier: 3.5 } as const;
